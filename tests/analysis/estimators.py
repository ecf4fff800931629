"""What the tests of all read-outs share."""

import pytest


def passes(check, estimator, failures=()):
    """Make one of scikit-learn's checks of an estimator; it must fail if `failures` names it, for the reason there.

    `expected_failed_checks` of scikit-learn is not used: pytest would format the traceback of each expected failure,
    for which it parses scikit-learn's large files, and it would accept any other failure.

    Parameters
    ----------
    check : from `parametrize_with_checks`
    estimator : what is checked
    failures : name of a check -> regular expression of its message
    """
    if (name := check.func.__name__) not in failures:
        check(estimator)
        return
    with pytest.raises((AssertionError, ValueError), match=failures[name]):
        check(estimator)


def negative_data(estimator):
    """Return the checks that scikit-learn makes with negative data, whatever the tags of an estimator say.

    test_readouts.py makes the same check on counts.
    """
    if not hasattr(estimator, "predict_proba"):
        return {}
    return {"check_decision_proba_consistency": "Negative values in data passed to X"}
