"""Kill every command that writes at random moments, and give it again: `python -m tests.kills [KILLS [SEED [NAME]]]`.

In the end the folder must hold the same files as one in which the command was never killed, with the same bytes.
`python -m tests.kills times [MOMENTS [NAME]]` measures how soon each command says something, and ends, after SIGTERM.
"""

import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stdpnet.runs.rows import read_rows, without_repeated
from tests.processes import Program, completed

SMALL = ["topology.channels=4", "dataset.test=100", "dataset.calibration=100", "dataset.validation=100"]
SMALL += ["health.action=ignore"]
TRAIN = [*SMALL, "training.images=2000", "checkpoint.every=200", "progress.every=500", "curve.every=1000"]
TRAIN += ["curve.validation=50", "curve.calibration=50"]
STUDY = f"""repeats = 2
[base]
config = "digits"
set = {json.dumps([*SMALL, "training.images=1000"])}
[space.plasticity]
A_plus = {{ choices = [0.01, 0.02] }}
[sampler]
kind = "grid"
"""
TIMES = r'"(\w*seconds|images_per_s|created|time)": ?(\{[^}]*\}|\[[^\]]*\]|[^,}\n]*)'
MOMENTS = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00|Z| UTC)?|[\d.]+ (images/s|s|min)\b"
SPEEDS = ("images/s", "s", "minutes")
"""Columns of Markdown tables that say how fast or how long."""


def sets(keys):
    """Return the options that set keys."""
    return [part for key in keys for part in ("--set", key)]


class Scenario(NamedTuple):
    """A command that writes.

    Parameters
    ----------
    words : the command; it is given again after each kill
    before : commands that make what it needs
    again : the command after a kill, once `begun` exists; none: the same
    begun : what exists once it has begun
    target : a file that is whole once it exists, and is never overwritten
    """

    words: list[str]
    before: tuple[list[str], ...] = ()
    again: tuple[str, ...] = ()
    begun: str = ""
    target: str = ""


MADE = ["train", "digits", "--run", "r", *sets([*SMALL, "training.images=500"])]
SCORED = ["evaluate", "r"]
EXPORT = ["export", "r", "weights.npz"]
CONVERTED = ["train", "rate-conversion-digits", "--run", "c", *sets(["training.images=1000", "dataset.validation=100"])]
SWEEP = ["sweep", "study.toml", "--workers", "1"]
TABLE = ["reproduce", "table2", "--rows", "1", "--seeds", "1", "--workers", "1"]
TABLE += sets([*SMALL, "dataset.name=digits", "training.images=1000", "topology.kernel=12"])
SCENARIOS = {
    "sweep": Scenario(SWEEP),
    "study": Scenario(["study", "sweep-study"], (SWEEP,)),
    "reproduce": Scenario(TABLE),
    "train": Scenario(["train", "digits", "--run", "r", *sets(TRAIN)], again=("resume", "r"), begun="runs/r"),
    "resume": Scenario(["resume", "r", "--images", "2000"], (MADE,), again=("resume", "r", "--images", "2000")),
    "evaluate": Scenario(SCORED, (MADE,)),
    "labels": Scenario(["labels", "r", "--sizes", "10,60", "--draws", "3"], (MADE,)),
    "robustness": Scenario(["robustness", "r", "--vary", "noise=0,0.1,0.2"], (MADE,)),
    "conversion": Scenario(["conversion", "c", "--dt", "0.1,0.05,0.02"], (CONVERTED,)),
    "compare": Scenario(["compare", "r", "--output", "table.md"], (MADE, SCORED), target="table.md"),
    "figures": Scenario(["figures", "r", "progress", "receptive-fields", "votes"], (MADE, SCORED)),
    "report": Scenario(["report", "r", "--images", "10"], (MADE, SCORED)),
    "data info": Scenario(["data", "info", "digits", "--sheet", "sheet.png"], target="sheet.png"),
    "export": Scenario(EXPORT, (MADE,), target="weights.npz"),
    "import": Scenario(
        ["import", "digits", "weights.npz", "--run", "i", *sets(SMALL)], (MADE, EXPORT), target="runs/i"
    ),
    "suggest": Scenario(["config", "suggest", "digits", "--channels", "4", "--threads", "1"], target="suggested.toml"),
    "best": Scenario(["study", "best", "sweep-study", "--config", "best.toml"], (SWEEP,), target="best.toml"),
}
ONE_THREAD = ("--threads", "1")
COMPILED = ["train", "digits", "--run", "r", *ONE_THREAD, *sets(["training.images=1", *SMALL])]
LARGE = ["train", "lcsnn-25-k12", "--run", "r", *ONE_THREAD, *sets(["dataset.test=2000", "dataset.validation=2000"])]
LARGE += sets(["dataset.calibration=4000", "curve.calibration=2000", "curve.validation=2000"])
TRAINED = [*LARGE, *sets(["training.images=256"])]
LONG_PHASES = {
    "training": Scenario([*LARGE, *sets(["training.images=2000"])]),
    "compilation": Scenario(COMPILED),
    "compilation, Brian2": Scenario([*COMPILED, *sets(["simulation.engine=brian2"])]),
    "learning curve": Scenario([*LARGE, *sets(["training.images=256", "curve.every=256"])]),
    "responses": Scenario(["evaluate", "r", *ONE_THREAD, "--no-baselines", "--readouts", "vote"], (TRAINED,)),
    "read-outs, baselines": Scenario(["evaluate", "r", *ONE_THREAD], (TRAINED,)),
    "conversion": SCENARIOS["conversion"],
    "figures": SCENARIOS["figures"],
    "report": SCENARIOS["report"],
    "data check": Scenario(["data", "check", "mnist"]),
    "suggest": Scenario(["config", "suggest", "digits", *ONE_THREAD]),
    "sweep": Scenario(SWEEP),
    "reproduce": Scenario(TABLE),
}
"""Commands that work for long, at sizes at which each phase takes seconds."""
LONG, FEW = ("sweep", "study", "reproduce"), 3
"""Commands that start a cluster, and how often each is killed."""


class Folder:
    """The folder in which a scenario is played, made anew at will."""

    def __init__(self, place, scenario, seed):
        self.path, self.scenario = Path(place) / "here", scenario
        self._made = Path(place) / "made"
        self._environment = {**os.environ, "XDG_CACHE_HOME": str(self.path / "cache")}
        os.environ.update(self._environment)
        self.random = random.Random(seed)
        self.path.mkdir()
        (self.path / "study.toml").write_text(STUDY)
        for words in scenario.before:
            self.to_its_end(words)
        self.path.rename(self._made)
        self.anew()

    def anew(self):
        """Return to the state before the command."""
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(self._made, self.path)

    @property
    def words(self):
        """The command that is to be given now."""
        scenario = self.scenario
        return scenario.again if scenario.again and (self.path / scenario.begun).exists() else list(scenario.words)

    @property
    def complete(self):
        """Whether the file that the command makes, and would not overwrite, is there."""
        return bool(self.scenario.target) and (self.path / self.scenario.target).exists()

    def to_its_end(self, words):
        """Give a command and wait; return the seconds that it took."""
        begin = time.monotonic()
        done = completed(["stdpnet", *words], self.path, timeout=600)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return time.monotonic() - begin

    def killed(self, seconds):
        """Give the command and kill it and its workers after a time; return whether it was still at work."""
        process = Program(["stdpnet", *self.words], self.path, session=True)
        with suppress(Exception):
            process.wait(seconds)
        if process.poll() is None:
            with suppress(ProcessLookupError):  # it may not have its session yet
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait(60)
            return True
        assert process.returncode == 0, process.communicate()
        return False

    def stopped(self, seconds):
        """Give the command, and SIGTERM after a time; return the seconds to its first word after that, and to its end.

        Without a word both are the seconds to its end; None if it had ended before the signal.
        """
        process = Program(["stdpnet", *self.words], self.path)
        with suppress(Exception):
            process.wait(seconds)
        if process.poll() is not None:
            return None
        begin, before, word = time.monotonic(), process.printed, None
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            time.sleep(0.005)
            if word is None and process.printed != before:
                word = time.monotonic() - begin
        end = time.monotonic() - begin
        return end if word is None else word, end

    def contents(self):
        """Return what lies in the folder, without what says when and how fast it was made."""
        files = sorted(path for path in self.path.rglob("*") if path.is_file() and "matplotlib" not in path.parts)
        return {str(path.relative_to(self.path)): comparable(path) for path in files}


def comparable(path):
    """Return the content of a file as far as it must not depend on kills."""
    if path.name in ("events.jsonl", "provenance.json", "lock", "journal.log") or path.suffix == ".lock":
        return b"is there"  # tells of the kills
    if path.suffix == ".jsonl":  # rows written again after a step back to a checkpoint count once
        return [{**row, "images_per_s": None} for row in without_repeated(read_rows(path))]
    if path.suffix not in (".json", ".md", ".html"):
        return path.read_bytes()
    text = without_speeds(path.read_text()) if path.suffix == ".md" else path.read_text()
    return re.sub(MOMENTS, "T", re.sub(TIMES, "", text))


def without_speeds(text):
    """Return Markdown without the columns SPEEDS of its tables."""
    lines, columns = [], None
    for line in text.splitlines():
        cells = line.split("|")
        if not line.startswith("|"):
            columns = None
        elif columns is None:
            columns = [place for place, name in enumerate(cells) if name.strip() not in SPEEDS]
        lines.append(line if columns is None else "|".join(cells[place] for place in columns))
    return "\n".join(lines)


def play(name, kills, seed):
    """Kill a command so many times; return how many moments there were, and what differs in the end."""
    wrong, done = [], 0
    with tempfile.TemporaryDirectory() as place:
        folder = Folder(place, SCENARIOS[name], f"{seed} {name}")
        seconds = folder.to_its_end(folder.words)
        whole = folder.contents()
        while done < kills:
            folder.anew()
            for _ in range(folder.random.choice([1, 2, 3])):
                if not folder.complete:
                    done += folder.killed(folder.random.uniform(0, seconds))
            if not folder.complete:
                folder.to_its_end(folder.words)
            found = folder.contents()
            for file in sorted(whole.keys() | found.keys()):
                if whole.get(file) != found.get(file):
                    state = "missing" if file not in found else "stray" if file not in whole else "other bytes"
                    wrong.append(f"{name}: {file}: {state} after {done} kills")
    return done, wrong


def times(moments=5, *names):
    """Print the longest times from SIGTERM to the first word and to the end, over moments spread over each command."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NUMBA_CACHE_DIR"] = f"{cache}/numba"
        print("| command | takes, s | first word after, s | ends after, s |\n|---|---|---|---|")
        for name in names or LONG_PHASES:
            with tempfile.TemporaryDirectory() as place:
                folder = Folder(place, LONG_PHASES[name], name)
                length, found = folder.to_its_end(folder.words), []
                while len(found) < int(moments):
                    folder.anew()
                    if name.startswith("compilation"):
                        shutil.rmtree(f"{cache}/numba")
                    if (seconds := folder.stopped((len(found) + 0.5) / int(moments) * length)) is not None:
                        found.append(seconds)
                    else:
                        length /= 2  # the first time it had to compile
            words, ends = zip(*found, strict=True)
            print(f"| {name} | {length:.1f} | {max(words):.2f} | {max(ends):.2f} |", flush=True)


def main(kills=100, seed=0, *names):
    """Print how often each command was killed, and what was wrong; return whether anything was."""
    chosen, total, failures = names or tuple(SCENARIOS), 0, []
    for number, name in enumerate(chosen):
        share = (int(kills) - total) / (len(chosen) - number)
        done, wrong = play(name, FEW if name in LONG else round(share), seed)
        total += done
        failures += wrong
        print(f"stdpnet {name}: {done} kills, {len(wrong)} failures", *wrong, sep="\n  ", flush=True)
    print(f"{total} kills, {len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(times(*sys.argv[2:]) if sys.argv[1:2] == ["times"] else main(*sys.argv[1:]))
