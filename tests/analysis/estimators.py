"""What the tests of all read-outs share."""


def negative_data(estimator):
    """Return the checks that scikit-learn makes with negative data, whatever the tags of an estimator say."""
    if not hasattr(estimator, "predict_proba"):
        return {}
    return {"check_decision_proba_consistency": "its data are negative; test_readouts.py has the same on counts"}
