import errno
import json
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import stdpnet
from stdpnet.errors import ConfigError, EngineError, RunError
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet.spec.load import dump_config
from stdpnet.stdp import respond as responses
from stdpnet.stdp.model import initial
from stdpnet.stdp.respond import respond
from stdpnet_analysis import evaluate
from stdpnet_analysis.evaluation import response_key
from stdpnet_analysis.progress import NoProgress
from stdpnet_analysis.readouts import READOUTS
from stdpnet_analysis.readouts.linear import LinearReadout
from stdpnet_analysis.readouts.scores import accuracies, best_vote
from tests.stdp.engines.networks import ENGINES


def spec(*overrides):
    return stdpnet.load_config("digits", ["training.images=300", "topology.channels=8", *overrides])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return stdpnet.train(spec("dataset.validation=100"), tmp_path_factory.mktemp("runs") / "run")


def test_evaluation_scores_every_readout_beside_the_baselines(run):
    scores = evaluate(run)
    assert json.loads((run.path / "scores.json").read_text()) == json.loads(json.dumps(scores))
    assert set(scores["readouts"]) == {"all", "patch", "spikes_first", "log_evidence", "linear"}
    for name, score in scores["readouts"].items():
        low, high = score["interval"]
        assert 0 <= low <= score["accuracy"] <= high <= 1
        assert score["n"] == 359
        assert np.sum(score["confusion"]) == 359
        assert score["accuracy"] > scores["untrained"]["readouts"][name]["accuracy"] - 0.05
    assert scores["readouts"]["all"]["accuracy"] > 0.6
    assert scores["pixels"]["readouts"]["linear"]["accuracy"] > 0.85
    assert scores["protocol"]["training_images"] == 300


def test_evaluation_leaves_the_state_as_it_is_and_is_repeatable(run):
    before = (run.path / "checkpoint.h5").read_bytes()
    first = evaluate(run, baselines=False)
    for cached in (run.path / "responses").iterdir():
        cached.unlink()
    assert evaluate(run, baselines=False, threads=2) == first
    assert (run.path / "checkpoint.h5").read_bytes() == before


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/stdpnet/baselines"


@pytest.fixture
def stages():
    """Which stages an evaluation has had."""

    class Stages(NoProgress, list):
        def stage(self, name, total):
            self.append(name)

    return Stages()


def test_baselines_are_computed_once_for_all_runs_that_share_them(run, empty_cache, stages, tmp_path):
    first = evaluate(run, "validation", progress=stages)
    assert "untrained-validation responses" in stages
    assert "read-out of pixels" in stages
    other = stdpnet.train(spec("dataset.validation=100", "plasticity.A_plus=0.02"), tmp_path / "other")
    stages.clear()
    scores = evaluate(other, "validation", progress=stages)
    assert not any("untrained" in stage or "pixels" in stage for stage in stages)
    assert (scores["untrained"], scores["pixels"]) == (first["untrained"], first["pixels"])
    assert scores["readouts"] != first["readouts"]
    assert len(list(empty_cache.iterdir())) == 2
    stages.clear()
    evaluate(other, "validation", progress=stages, C=0.1)
    assert "read-out of pixels" in stages
    stages.clear()
    evaluate(other, "validation", progress=stages, readouts=["linear", "proportion"])
    assert stages.count("read-out proportion") == 2, "trained, untrained"
    seed = stdpnet.train(spec("dataset.validation=100", "seed=5"), tmp_path / "seed")
    stages.clear()
    evaluate(seed, "validation", progress=stages)
    assert "untrained-validation responses" in stages, "another initial network"
    assert "read-out of pixels" not in stages, "the same images"


def test_a_cache_that_cannot_be_used_costs_only_time(run, empty_cache, tmp_path):
    first = evaluate(run, "validation")
    for kept in empty_cache.iterdir():
        kept.write_text('{"readouts": 1')
    assert evaluate(run, "validation") == first
    for kept in empty_cache.iterdir():
        assert "accuracy" in kept.read_text(), "mended"
        kept.unlink()
    empty_cache.rmdir()
    empty_cache.write_text("a file in the way")
    assert evaluate(run, "validation") == first


@pytest.mark.usefixtures("empty_cache")
def test_threads_limit_the_linear_algebra_of_the_readouts(run, monkeypatch):
    pools, fit = [], LinearReadout.fit

    def watched(readout, X, y):
        pools.append([pool["num_threads"] for pool in threadpool_info()])
        return fit(readout, X, y)

    monkeypatch.setattr(LinearReadout, "fit", watched)
    with threadpool_limits(2):
        evaluate(run, "validation", threads=1)
    assert len(pools) == 3, "trained, untrained, pixels"
    assert all(pools)
    assert {threads for info in pools for threads in info} == {1}


def test_scores_that_cannot_be_written_are_to_be_computed_again(run, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(RunError, match=r"scores-validation.json: cannot be written .* then give the command again"):
        evaluate(run, "validation", baselines=False)


def test_validation_images_are_scored_apart_from_test_images(run):
    scores = evaluate(run, "validation", baselines=False)
    assert scores["protocol"]["images"] == 100
    assert (run.path / "scores-validation.json").exists()


def test_the_thesis_s_linear_readout_is_scored_beside_the_default_one(run):
    default = evaluate(run, "validation", baselines=False)
    scores = evaluate(run, "validation", linear="sgd", baselines=False)
    assert scores["readouts"]["linear-sgd"]["settings"] == {"kind": "sgd"}
    assert scores["readouts"]["linear-sgd"]["accuracy"] > 0.5
    assert scores["readouts"]["linear"] == default["readouts"]["linear"]


def test_read_outs_are_chosen_by_argument_or_by_configuration_and_added_to_the_scores(run, tmp_path):
    for file in ("config.toml", "checkpoint.h5", "provenance.json"):
        (tmp_path / file).write_bytes((run.path / file).read_bytes())
    copy = Run.open(tmp_path)
    assert set(evaluate(copy, "validation", readouts=["vote"])["readouts"]) == {"all", "patch", "spikes_first"}
    (tmp_path / "config.toml").write_text(dump_config(run.spec.updated({"evaluation.readouts": "assigned"})))
    scores = evaluate(Run.open(tmp_path), "validation")
    assert set(scores["readouts"]) == {"all", "patch", "spikes_first", "assigned"}
    assert set(scores["untrained"]["readouts"]) == set(scores["readouts"])
    assert set(scores["pixels"]["readouts"]) == {"linear"}
    with pytest.raises(ConfigError, match="--readouts: 'loudest' is unknown; choose among vote"):
        evaluate(copy, "validation", readouts=["loudest"])


def test_every_read_out_scores_and_those_with_probabilities_say_how_reliable_they_are(run, monkeypatch):
    monkeypatch.setattr("stdpnet_analysis.readouts.linear.GRID", [{"scaling": ["roots"], "C": [0.01, 0.03]}])
    scores = evaluate(run, "validation", readouts=READOUTS, scaling="roots", C=0.1, baselines=False)["readouts"]
    assert {*READOUTS} - {"own", "linear"} | {"linear-roots-C0.1"} <= set(scores)
    with_probabilities = {name for name, score in scores.items() if "reliability" in score}
    assert {"log_evidence", "naive_bayes", "linear-roots-C0.1", "linear_cv"} <= with_probabilities
    assert not with_probabilities & {"all", "patch", "spikes_first", "proportion", "assigned", "n_gram"}
    assert scores["n_gram"]["accuracy"] > 0.5
    for name in with_probabilities:
        reliability = scores[name]["reliability"]
        assert 0 <= reliability["expected_calibration_error"] < 0.6
        assert sum(each["images"] for each in reliability["bins"]) == round(100 * (1 - scores[name]["no_answer"]))
    assert scores["linear-roots-C0.1"]["settings"] == {"kind": "logistic", "C": 0.1, "scaling": "roots"}
    chosen = scores["linear_cv"]["settings"]
    assert max(chosen["trials"], key=lambda each: each["accuracy"])["C"] == chosen["C"]


def test_first_spikes_are_asked_for_where_they_are_read_and_kept_ones_serve_all(run, monkeypatch):
    name, key = (
        "trained-validation",
        response_key(run.spec, run.load_state(), run.provenance["dataset_sha256"], "validation"),
    )
    evaluate(run, "validation", readouts=["n_gram"], baselines=False)
    kept = run.load_responses(name, key, sparse=True)
    counts, first = kept.counts.toarray(), kept.first_spikes.toarray()
    np.testing.assert_array_equal(first > 0, counts > 0)
    assert first.max() <= run.spec.simulation.steps
    monkeypatch.setattr("stdpnet.stdp.model.respond", None)
    evaluate(run, "validation", readouts=["all", "n_gram"], baselines=False)
    run.save_responses(name, replace(kept, counts=counts, first_spikes=None), key)
    evaluate(run, "validation", readouts=["all"], baselines=False)
    with pytest.raises(TypeError):
        evaluate(run, "validation", readouts=["n_gram"], baselines=False)


def test_a_read_out_of_times_refuses_a_model_without_spikes(tmp_path):
    keys = ["training.images=20", "topology.channels=4", "dataset.test=20"]
    made = stdpnet.train(stdpnet.load_config("features-digits", keys), tmp_path / "run")
    with pytest.raises(ConfigError, match="--readouts n_gram: needs the times of spikes"):
        evaluate(made, readouts=["n_gram"], baselines=False)


def test_log_evidence_beats_the_votes_of_a_convolutional_network_and_of_features(tmp_path):
    for number, config in enumerate(("digits", "features-digits")):
        keys = ["topology.architecture=convolutional"] if config == "digits" else []
        made = stdpnet.load_config(config, ["training.images=300", "topology.channels=8", *keys])
        accuracy = accuracies(evaluate(stdpnet.train(made, tmp_path / str(number)), baselines=False))
        assert accuracy["log_evidence"] > accuracy[best_vote(accuracy)]


def test_a_run_without_validation_images_says_how_to_get_some(tmp_path):
    run = stdpnet.train(spec("training.images=1"), tmp_path / "run")
    with pytest.raises(RunError, match=r"--set dataset\.validation=1000"):
        evaluate(run, "validation")


def test_responses_are_cached_until_the_state_changes(run, monkeypatch):
    evaluate(run, baselines=False)
    monkeypatch.setattr("stdpnet.stdp.model.respond", None)
    evaluate(run, baselines=False)  # all from the cache
    state = run.load_state()
    key = response_key(run.spec, state, "d", "test")
    assert key != response_key(run.spec.updated({"seed": 9}), state, "d", "test")
    assert key == response_key(run.spec.updated({"training.images": 9}), state, "d", "test")
    state.arrays["theta"][0, 0] += 1
    assert key != response_key(run.spec, state, "d", "test")


def test_other_images_than_trained_on_are_refused(run, tmp_path):
    path = tmp_path / "copy"
    path.mkdir()
    for name in ("config.toml", "checkpoint.h5"):
        (path / name).write_bytes((run.path / name).read_bytes())
    (path / "provenance.json").write_text(json.dumps({**run.provenance, "dataset_sha256": "0"}))
    with pytest.raises(RunError, match="was trained on images with SHA-256 0"):
        evaluate(Run.open(path))


def test_an_engine_that_learns_in_evaluation_is_found_out(monkeypatch):
    class Learner:
        def __init__(self, network):
            self.network = network

        def present(self, trains, switches, recording=None, first_spikes=None):
            self.network.theta += 1e-6
            shape = (len(trains.offsets), *self.network.theta.shape)
            return type("Outcome", (), {"counts": np.zeros(shape, np.int32)})

    small = spec()
    monkeypatch.setattr(responses, "make_engine", lambda spec, network, threads: Learner(network))
    with pytest.raises(EngineError, match="evaluation changed theta"):
        respond(small, initial(small), stdpnet.load_dataset(small.dataset).test, Stream.TEST)


@pytest.mark.parametrize("architecture", ["locally_connected", "convolutional", "fully_connected"])
def test_threads_do_not_change_responses(architecture):
    kernel = "none" if architecture == "fully_connected" else "12"
    small = spec(f"topology.architecture={architecture}", f"topology.kernel={kernel}", "neuron.v_thresh=-64.0")
    test = stdpnet.load_dataset(small.dataset).test
    one, three = (respond(small, initial(small), test, Stream.TEST, threads=n).counts for n in (1, 3))
    assert one.sum() > 0
    np.testing.assert_array_equal(one, three)


def test_brian2_gives_the_responses_of_the_compiled_engine():
    keys = ["simulation.dtype=float64", "topology.channels=4", "dataset.test=20", "evaluation.readouts=n_gram"]
    counts = []
    for engine in ("numba", "brian2-numpy"):
        small = spec(*keys, *(f'simulation.{key}="{value}"' for key, value in ENGINES[engine].items()))
        test = stdpnet.load_dataset(small.dataset).test
        found = respond(small, initial(small), test, Stream.TEST)
        assert found.first_spikes is not None
        counts.append((found.counts, found.first_spikes))
    assert counts[0][0].sum() > 0
    np.testing.assert_array_equal(*counts)


def test_weakly_answered_images_are_shown_again_in_evaluation_too():
    keys = ["encoder.max_rate=20.0", "neuron.v_thresh=-50.0"]
    retried = spec(*keys, "training.min_spikes=20", "training.retry_rate=100.0")
    once = spec(*keys)
    test = stdpnet.load_dataset(once.dataset).test
    few = respond(once, initial(once), test, Stream.TEST).counts.sum(axis=1)
    more = respond(retried, initial(retried), test, Stream.TEST).counts.sum(axis=1)
    assert (few < 20).any()
    np.testing.assert_array_equal(more[few >= 20], few[few >= 20])
    assert (more[few < 20] > few[few < 20]).mean() > 0.9


def test_calibration_images_of_one_class_are_one_sentence(run, monkeypatch, stdpnet_command):
    dataset = stdpnet.load_dataset(run.spec.dataset)
    threes = dataset.calibration.at(np.flatnonzero(dataset.calibration.labels == 3)[:5])
    monkeypatch.setattr("stdpnet_analysis.evaluation.load_dataset", lambda _: replace(dataset, calibration=threes))
    for readouts in ("vote,linear", "colanet,n_gram,naive_bayes"):
        said = stdpnet_command("evaluate", run.path, "--readouts", readouts, "--no-baselines", code=2).stderr
        expected = "error: dataset.calibration: the 5 calibration images are of one class, and a read-out needs two"
        assert said.splitlines()[-1].startswith(expected)
