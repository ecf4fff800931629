"""Every command answers every option that is given a number out of place: with its work, or with one sentence."""

import shutil

import pytest
import typer
from typer.utils import get_params_from_function

from stdpnet.cli import app
from stdpnet.errors import RunError
from tests.damage import KEYS, answered, call, make_baseline, make_run
from tests.processes import completed

NUMBERS = ("10000000000", "100000000000000000000", "-1", "0", "nan", "inf")
SECONDS = 20
"""CPU time that a command gets; the limits that it names come before any work."""
SMALL = " ".join(f"--set {key}" for key in KEYS) + " --threads 1"
SHORT = "--set topology.channels=4 --set simulation.duration=5"
REPRODUCED = ("table2", "diehl-cook", "saunders", "fashion", "labels", "systems")
COMMANDS = {
    "train": f"train digits {SMALL} --set training.images=2 --set curve.calibration=20 --set curve.validation=20",
    "resume": "resume {run} --threads 1",
    "watch": "watch {run}",
    "runs": "runs {folder}",
    "evaluate": "evaluate {run} --no-baselines --threads 1",
    "predict": "predict {run} {made}/image.npy --threads 1",
    "export": "export {run} {folder}/spikes.h5 --threads 1",
    "import": "import digits {made}/weights.npz " + SMALL.removesuffix(" --threads 1"),
    "labels": "labels {run} --sizes 10 --draws 1 --readouts vote --no-baselines --threads 1",
    "robustness": "robustness {run} --vary noise=0 --readouts vote --no-baselines --threads 1",
    "conversion": "conversion {made}/rates/run --dt 1 --no-training --threads 1",
    "info": "info {run}",
    "compare": "compare {run}",
    "report": "report {run} --output {folder}/report.html --summary",
    "figures": "figures {run} receptive-fields --threads 1",
    "inspect": "inspect {folder}",
    "verify": f"verify digits {SHORT} --set simulation.brian2_target=numpy --images 1 --threads 1",
    "show-model": "show-model digits",
    "doctor": "doctor",
    "benchmark": f"benchmark digits {SHORT} --rounds 1 --warm-up 1 --brian2 0 --threads 1",
    "docs": "docs",
    "sweep": "sweep {made}/study.toml --dir {folder}/study",
    "study best": "study best {made}/study --config {folder}/best.toml",
    "study show": "study show {made}/study --figure {folder}/study.png",
    **{f"reproduce {name}": f"reproduce {name} --seeds 1" for name in REPRODUCED},
    "reproduce colanet-theory": "reproduce colanet-theory --examples 1000",
    "config list": "config list",
    "config show": "config show digits",
    "config schema": "config schema",
    "config suggest": "config suggest digits --channels 2 --kernel 14 --stride 14 --threads 1",
    "data list": "data list",
    "data fetch": "data fetch digits",
    "data info": "data info digits",
    "data check": "data check digits",
}
"""Each command at its smallest: a new one needs a line here."""
STUDY = f"""[base]
config = "digits"
set = {KEYS}
[space.plasticity]
A_plus = {{ choices = [0.01] }}
[budget]
trials = 1
"""


def commands(group, path=()):
    """Yield name and options of every command: (option, type)."""
    for each in group.registered_commands:
        found = [
            (parameter.default.param_decls[0], parameter.annotation)
            for parameter in get_params_from_function(each.callback).values()
            if isinstance(parameter.default, typer.models.OptionInfo)
        ]
        yield " ".join((*path, each.name)), found
    for each in group.registered_groups:
        yield from commands(each.typer_instance, (*path, each.name))


OPTIONS = [
    (name, option)
    for name, options in commands(app)
    for option, kind in options
    if kind is not bool and not any(word in str(kind) for word in ("bool", "Path", "Literal"))
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a run, weights, a run of rate conversion and a study."""
    folder = tmp_path_factory.mktemp("made")
    run = make_run(folder)
    (folder / "rates").mkdir()
    make_baseline(folder / "rates", "rate-conversion-digits")
    (folder / "study.toml").write_text(STUDY)
    assert call(["export", str(run), f"{folder}/weights.npz"], folder)[0] == 0
    done = completed(["stdpnet", "sweep", "study.toml", "--dir", f"{folder}/study", "--workers", "1"], folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def without_servers(monkeypatch):
    """No command starts processes or listens."""

    def pool(*_, **__):
        raise RunError("no processes are started here")

    async def serve(*_):
        pass

    monkeypatch.setattr("stdpnet_analysis.cluster.pool.pool", pool)
    monkeypatch.setattr("stdpnet_analysis.inspector.server.serve", serve)


def test_every_command_is_tried():
    assert {name for name, _ in commands(app)} == set(COMMANDS)
    assert {("report", "--images"), ("verify", "--images"), ("labels", "--draws"), ("train", "--seeds")} <= {*OPTIONS}


@pytest.mark.parametrize(("name", "option"), OPTIONS)
@pytest.mark.usefixtures("without_servers")
def test_an_option_answers_numbers_out_of_place(made, tmp_path, name, option):
    wrong = []
    for number in NUMBERS:
        folder = tmp_path / "folder"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if "{run}" in COMMANDS[name] or "{folder}" in COMMANDS[name]:
            shutil.copytree(made / "run", folder / "run")
        words = COMMANDS[name].format(run=folder / "run", folder=folder, made=made).split()
        if option in words and option != "--set":
            place = words.index(option)
            del words[place : place + 2]
        wrong += [f"{number}: {why}" for why in [answered([*words, f"{option}={number}"], folder, SECONDS)] if why]
    assert wrong == []
