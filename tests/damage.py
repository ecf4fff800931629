"""Damage that a file of a run may have met, and how every command answers.

`python -m tests.damage CASES [SEED [MOST [PART]]]` tries many; the arguments are those of `try_all`.

A command must answer with exit code 0, maybe after a warning, or with exit code 2 and one sentence, in bounded time.
"""

import contextlib
import io
import itertools
import logging
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np

from stdpnet.cli import main
from tests.damages import damages

KEYS = ["training.images=40", "topology.channels=4", "competition.rule=anti_stdp", "competition.c_w=-20.0"]
KEYS += ["dataset.test=60", "dataset.calibration=60", "dataset.validation=40", "progress.every=20"]
KEYS += ["checkpoint.every=20", "curve.every=20", "curve.calibration=60", "curve.validation=40", "health.action=ignore"]
SECONDS = 60
"""CPU time that a command gets."""
LOOK = ("info {run}", "info {run} --json", "runs {folder}", "watch {run} --once", "compare {run}")
DRAW = (
    "figures {run} --list",
    "figures {run} progress learning-curve",
    "figures {run} confusion class-accuracy votes reliability labels-needed robustness",
)
SHOW = (
    *DRAW,
    "figures {run} receptive-fields competition-matrix",
    "report {run} --output {folder}/report.html --images 10",
)
GO_ON = ("resume {run} --images 60 --threads 1", "evaluate {run} --no-baselines --threads 1")
LABELS = "labels {run} --sizes 10,60 --draws 2 --readouts vote,log_evidence --threads 1"
ROBUSTNESS = "robustness {run} --vary noise=0,0.2 --no-baselines --threads 1"
USE = (
    "predict {run} {image} --threads 1",
    "export {run} {folder}/weights.npz",
    "export {run} {folder}/spikes.h5 --images 2 --threads 1",
    LABELS,
    ROBUSTNESS,
)
BEST = tuple(f"{command} --snapshot best" for command in (GO_ON[1], *USE[:3]))
READ_BY = {
    "progress.jsonl": (*LOOK, *SHOW, GO_ON[0]),
    "curve.jsonl": (*LOOK, *SHOW, GO_ON[0]),
    "events.jsonl": (*LOOK, *SHOW, *GO_ON),
    "provenance.json": (*LOOK, *SHOW, *GO_ON),
    "scores.json": (*LOOK, *SHOW, *GO_ON),
    "labels-validation.json": (*SHOW, *GO_ON, LABELS),
    "robustness.json": (*SHOW, ROBUSTNESS),
    "config.toml": (*LOOK, *SHOW, *GO_ON, *USE),
    "lock": (*LOOK, GO_ON[0]),
    "checkpoint.h5": (*LOOK, *SHOW, *GO_ON, *USE),
    "snapshots/best.h5": ("figures {run} --list", *BEST),
    "responses/trained-test.h5": (*DRAW, GO_ON[1], ROBUSTNESS),
    "responses/trained-calibration.h5": ("figures {run} --list", GO_ON[1], USE[0], LABELS, ROBUSTNESS),
}
"""Commands that read a file of a run."""
KERNELS = ["kernels.channels=4", "kernels.kernel=9", "kernels.stride=4", "kernels.images=20"]
BASELINES = {
    "rate-conversion-digits": ["network.hidden=4"],
    "bptt-digits": ["network.hidden=4", "simulation.steps=10"],
    "colanet-digits": ["columns.microcolumns=2", *KERNELS],
    "features-digits": ["topology.channels=4", "features.kind=kmeans"],
}
"""Presets of models beside STDP -> the keys that make them small."""
READ_BY_BASELINE = {
    "checkpoint.h5": (*LOOK[:1], *GO_ON),
    "conversion.json": ("figures {run} conversion", "figures {run} --list", "conversion {run} --dt 1 --threads 1"),
}
"""Commands that read a file of a run of another model than STDP."""


def call(words, folder):
    """Return exit code, standard output and error, and the CPU seconds of a command."""
    out, err, begin = io.StringIO(), io.StringIO(), time.process_time()
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(mock.patch.object(sys, "argv", ["stdpnet", *words]))
        for package in ("stdpnet", "stdpnet_analysis"):
            stack.enter_context(mock.patch.object(logging.getLogger(package), "handlers", []))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            main()
        except SystemExit as end:
            code = end.code
    return code, out.getvalue(), err.getvalue(), time.process_time() - begin


def answered(words, folder, most=SECONDS):
    """Return what is wrong with the answer to a command, which has so many seconds of CPU time, or None."""
    code, _, err, seconds = call(words, folder)
    if code not in (0, 2) or "Traceback" in err:
        return f"exit code {code}: {err[-2000:]}"
    if code == 2 and not err.strip().splitlines()[-1].startswith(("error: ", "Error: ")):
        return f"exit code 2 without a sentence: {err[-2000:]}"
    return f"{seconds:.0f} s" if seconds > most else None


def make_run(folder):
    """Return the path of a small run with scores."""
    words = [part for key in KEYS for part in ("--set", key)]
    np.save(f"{folder}/image.npy", np.arange(64, dtype=np.uint8).reshape(8, 8))
    assert call(["train", "digits", "--run", f"{folder}/run", "--threads", "1", *words], folder)[0] == 0
    assert call(["evaluate", f"{folder}/run", "--threads", "1"], folder)[0] == 0
    for command in (LABELS, ROBUSTNESS):
        assert call(command.format(run=f"{folder}/run").split(), folder)[0] == 0
    return Path(folder) / "run"


def make_baseline(folder, preset):
    """Return the path of a small run of a model beside STDP; one of rate conversion has tried time steps."""
    keys = [*BASELINES[preset], *(key for key in KEYS if key.startswith(("training", "dataset", "progress", "check")))]
    words = [part for key in keys for part in ("--set", key)]
    assert call(["train", preset, "--run", f"{folder}/run", "--threads", "1", *words], folder)[0] == 0
    if preset.startswith("rate-conversion"):
        assert call(["conversion", f"{folder}/run", "--dt", "0.1,1", "--threads", "1"], folder)[0] == 0
    return Path(folder) / "run"


def in_place_of(path, kind):
    """Put something that is no regular file where a file is."""
    path.unlink(missing_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "endless":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path.name)
        case "nothing":
            pass


SPECIAL = ("pipe", "folder", "endless", "loop", "nothing")


def attempt(original, folder, name, commands, damage):
    """Return what was wrong with the answers to commands about a copy of a run with one damaged file.

    Parameters
    ----------
    original : a sound run
    folder : a folder of runs, made anew, in which the copy is
    name : the file's name in the run
    commands : command lines, with {run}, {folder} and {image}
    damage : the new contents, or one of SPECIAL
    """
    wrong = []
    for command in commands:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(original, folder / "run")
        path = folder / "run" / name
        if isinstance(damage, str):
            in_place_of(path, damage)
        else:
            path.write_bytes(damage)
        words = command.format(run=folder / "run", folder=folder, image=original.parent / "image.npy").split()
        if (answer := answered(words, folder)) is not None:
            wrong.append(f"{name}, {command}: {answer}")
    return wrong


def try_all(cases, seed=0, most=3, part="0/1"):
    """Print how many commands were tried on damaged files, and what was wrong.

    Parameters
    ----------
    cases : damages of each file
    seed : of the damages
    most : commands for each damage, in turn, so that each command meets every file that it reads
    part : K/N: every N-th file from the K-th one, for N processes
    """
    first, step = map(int, part.split("/"))
    files = [("", name) for name in READ_BY]
    files += [(preset, "checkpoint.h5") for preset in BASELINES] + [("rate-conversion-digits", "conversion.json")]
    tried, failures, begin = Counter(), [], time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        for preset, name in files[first::step]:
            file, commands = f"{preset}/{name}", itertools.cycle((READ_BY_BASELINE if preset else READ_BY)[name])
            original = Path(place) / preset / "run"
            if not original.exists():
                original.parent.mkdir(exist_ok=True)
                make_baseline(original.parent, preset) if preset else make_run(original.parent)
            rng, whole = random.Random(f"{seed} {file}"), (original / name).read_bytes()
            for damage in itertools.chain(SPECIAL, itertools.islice(damages(name, whole, rng), cases)):
                chosen = list(itertools.islice(commands, most))
                wrong = attempt(original, Path(place) / "copy", name, chosen, damage)
                tried[file] += len(chosen)
                failures += wrong
                for sentence in wrong:
                    print(preset, sentence, repr(damage[:300]), flush=True)
            print(f"{file}: {tried[file]} commands answered, {time.monotonic() - begin:.0f} s so far", flush=True)
    print(f"{len(tried)} files, {sum(tried.values())} commands, {len(failures)} failures")
    return failures


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(bool(try_all(*map(int, given[:3]), *given[3:])))
