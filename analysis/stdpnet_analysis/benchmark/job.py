"""Measure the wall time of a whole job, `stdpnet train` and `stdpnet evaluate`, by part.

`measure_job` runs this module as a process of its own, so that the start of Python and all imports are counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from stdpnet.errors import EngineError
from stdpnet.spec.experiment import Experiment
from stdpnet.spec.load import dump_config

PARTS = {
    "imports": "Python and imports",
    "set_up": "data, initial state",
    "training": "training",
    "responses": "responses",
    "read_outs": "read-outs",
    "untrained": "untrained baseline",
    "pixels": "pixels",
}
"""Part of a job -> its name in tables, in the order of the parts."""


class Stopwatch:
    """Measures the seconds of each part of a job, as an observer of the training and a `Progress` of `evaluate`.

    Parameters
    ----------
    begin : when the first part began, in seconds of time.time()
    """

    every = 0

    def __init__(self, begin: float) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._part, self._since = next(iter(PARTS)), begin

    def enter(self, part: str) -> None:
        """End a part and begin another one."""
        now = time.time()
        self.seconds[self._part] += now - self._since
        self._part, self._since = part, now

    def stage(self, name: str, total: int) -> None:
        """Begin the part to which a stage of `evaluate` belongs.

        The read-outs of the untrained network belong to `untrained`.
        """
        if "pixels" in name:
            self.enter("pixels")
        elif "responses" in name:
            self.enter("untrained" if "untrained" in name else "responses")
        elif self._part != "untrained":
            self.enter("read_outs")

    def advance(self, count: int, note: str = "") -> None:
        """Do nothing."""

    def begin(self, training: Any) -> None:
        """Begin the training, as its observer."""
        self.enter("training")

    def handle(self, training: Any) -> None:
        """Do nothing."""


def measure_job(spec: Experiment, threads: int | None = None) -> dict[str, Any]:
    """Train an experiment and evaluate it on its test images, in a process of its own; no file is kept.

    Parameters
    ----------
    spec : the experiment
    threads : how many threads may compute; default all cores

    Returns
    -------
    `seconds`: wall time of each of PARTS, 0 for baselines whose scores are cached (stdpnet_analysis.baselines);
    `total_seconds`; `peak_memory_mb` of the process.

    Raises
    ------
    EngineError
        If the job fails; the message is the last line of what it printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(dump_config(spec), encoding="utf-8")
        command = [sys.executable, "-m", __name__, str(config), str(threads or 0), repr(time.time())]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"the job failed: {(done.stderr.strip() or 'no message').splitlines()[-1]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main(config: str, threads: int | None, begin: float) -> None:
    """Run the job below the working directory, and print what was measured as a JSON object."""
    watch = Stopwatch(begin)
    from stdpnet.spec.load import load_config
    from stdpnet.training import train
    from stdpnet_analysis.benchmark.machine import peak_memory_mb
    from stdpnet_analysis.evaluation import evaluate

    watch.enter("set_up")
    run = train(load_config(config), "run", threads=threads, observers=[watch])
    watch.enter("set_up")
    evaluate(run, threads=threads, progress=watch)
    watch.enter("set_up")
    print(
        json.dumps(
            {
                "seconds": watch.seconds,
                "total_seconds": sum(watch.seconds.values()),
                "peak_memory_mb": peak_memory_mb(),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) or None, float(sys.argv[3]))
