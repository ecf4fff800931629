"""Every command answers a damaged file of a run: it goes on, maybe after a warning, or says one sentence.

`python -m tests.damage` tries more damages, and every command on each.
"""

import random

import pytest

from tests.damage import (
    BASELINES,
    LOOK,
    READ_BY,
    READ_BY_BASELINE,
    SPECIAL,
    attempt,
    make_baseline,
    make_run,
)
from tests.damages import damages


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("sound"))


def looks(name, most):
    """Return commands that read a file and do little else."""
    return [command for command in READ_BY[name] if command in (*LOOK, "figures {run} --list")][:most]


@pytest.mark.parametrize("name", READ_BY)
@pytest.mark.parametrize("seed", range(3))
def test_commands_that_look_at_a_run_answer_any_damage(sound, tmp_path, name, seed):
    damage = next(damages(name, (sound / name).read_bytes(), random.Random(f"{name} {seed}")))
    assert attempt(sound, tmp_path / "runs", name, looks(name, 5), damage) == []


@pytest.mark.parametrize("name", READ_BY)
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_regular_file_is_never_waited_for(sound, tmp_path, name, kind):
    assert attempt(sound, tmp_path / "runs", name, looks(name, 1), kind) == []


@pytest.mark.parametrize("name", READ_BY)
def test_commands_that_work_on_a_run_answer_any_damage(sound, tmp_path, name):
    rng = random.Random(name)
    damage = next(damages(name, (sound / name).read_bytes(), rng))
    command = rng.choice([command for command in READ_BY[name] if not command.startswith("report")][-3:])
    assert attempt(sound, tmp_path / "runs", name, [command], damage) == []


@pytest.fixture(scope="module")
def baselines(tmp_path_factory):
    return {preset: make_baseline(tmp_path_factory.mktemp(preset), preset) for preset in BASELINES}


FILES = [*((preset, "checkpoint.h5") for preset in BASELINES), ("rate-conversion-digits", "conversion.json")]


@pytest.mark.parametrize(("preset", "name"), FILES)
def test_commands_answer_any_damage_to_a_run_of_another_model(baselines, tmp_path, preset, name):
    sound, rng = baselines[preset], random.Random(f"{preset} {name}")
    for command, damage in zip(READ_BY_BASELINE[name], damages(name, (sound / name).read_bytes(), rng), strict=False):
        assert attempt(sound, tmp_path / "runs", name, [command], damage) == []
