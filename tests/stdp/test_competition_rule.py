"""competition.rule names the kind of competition; the keys of older versions are read as they were meant."""

import warnings

import numpy as np
import pytest

import stdpnet
from stdpnet.errors import ConfigError
from stdpnet.runs import Run
from stdpnet.spec.load import dump_config, load_config
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.spec.plasticity import CompetitionSpec
from stdpnet.training import resume
from tests.stdp.engines.networks import lively

OLDER = [
    ({}, "fixed"),
    ({"c_w": 0.0}, "none"),
    ({"learned": False}, "fixed"),
    ({"learned": False, "rule": "stdp"}, "fixed"),
    ({"learned": False, "c_w": 0.0, "rule": "stdp"}, "none"),
    ({"learned": True}, "anti_stdp"),
    ({"learned": True, "rule": "stdp"}, "anti_stdp"),
    ({"learned": True, "c_w": 0.0}, "anti_stdp"),
    ({"learned": True, "rule": "rate_target"}, "rate_target"),
    ({"learned": True, "rule": "anti_hebbian"}, "anti_hebbian"),
    ({"learned": True, "rule": "fixed"}, "anti_stdp"),  # --set competition.learned=true on a configuration of today
]


@pytest.mark.filterwarnings("ignore:competition.learned")
@pytest.mark.parametrize(("values", "rule"), OLDER)
def test_the_keys_of_older_versions_are_read_as_they_were_meant(values, rule):
    assert CompetitionSpec(**values).rule == rule


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learned": False, "rule": "rate_target"}, "learned: False contradicts rule = 'rate_target'"),
        ({"learned": "perhaps"}, "learned: 'perhaps' is neither true nor false"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        CompetitionSpec(**values)


def test_a_file_with_older_keys_is_noted_with_the_new_one(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[competition]\nlearned = true\nc_w = -50.0\n[topology]\nkernel = 12\n")
    with pytest.warns(FutureWarning, match="write competition.rule = 'anti_stdp' instead"):
        assert load_config(path).competition == CompetitionSpec(rule="anti_stdp", c_w=-50.0)


def test_a_configuration_of_today_gets_no_note():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rule in ("none", "fixed", "anti_stdp", "rate_target", "anti_hebbian"):
            assert load_config("lcsnn-25-k12", [f"competition.rule={rule}"]).competition.rule == rule
        assert load_config("lcsnn-25-k12", ["competition.learned=true"]).competition.rule == "anti_stdp"
        assert load_config("lcsnn-25-k12", ["competition.c_w=0"]).competition.rule == "none"


@pytest.mark.parametrize(("rule", "weight"), [("none", 0.0), ("fixed", -7.0)])
def test_a_competition_that_is_not_learned_has_one_weight(rule, weight):
    spec = lively(competition={"rule": rule, "c_w": -7.0})
    assert initial_network(spec).competition == weight
    assert not spec.competition.is_learned


def older(text):
    """Return a written configuration as versions before competition.rule named all kinds wrote it."""
    assert text.count('rule = "anti_stdp"\n') == 1
    return text.replace('rule = "anti_stdp"\n', 'learned = true\nrule = "stdp"\n')


def test_a_run_of_an_older_version_is_resumed_to_the_same_bytes(tmp_path, monkeypatch):
    keys = ["topology.channels=10", "training.images=60", "competition.rule=anti_stdp", "competition.c_w=-20"]
    straight = stdpnet.train(load_config("digits", keys), tmp_path / "straight")
    for module in ("checkpoint", "directory"):
        monkeypatch.setattr(f"stdpnet.runs.{module}.dump_config", lambda *of, **how: older(dump_config(*of, **how)))
    stdpnet.train(load_config("digits", [*keys, "training.images=30"]), tmp_path / "run")
    monkeypatch.undo()
    assert "learned = true" in (tmp_path / "run/config.toml").read_text()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = Run.open(tmp_path / "run")
    assert run.spec.competition == straight.spec.competition
    resume(run, 60)
    assert (run.path / "checkpoint.h5").read_bytes() == (straight.path / "checkpoint.h5").read_bytes()


def test_no_competition_and_fixed_weights_of_zero_are_one_network():
    none, zero = lively(competition={"rule": "none", "c_w": 0.0}), lively(competition={"rule": "fixed", "c_w": 0.0})
    assert none == zero
    np.testing.assert_array_equal(initial_network(none).competition, 0.0)
