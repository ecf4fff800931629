"""Run commands of stdpnet one after the other, each in a process of its own that has the imports of this one.

python tests/each.py COMMANDS   (JSON: a list of lists of words; prints a list of [exit code, output, errors, files])
"""

import json
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

import stdpnet.stdp.learner  # noqa: F401 (once for all commands)
import stdpnet_analysis.evaluation  # noqa: F401
from stdpnet.cli import _command, main
from stdpnet.data.digits import _scaled_up


def run(words, printed):
    """Become one command."""
    for stream, name in ((sys.stdout, "1"), (sys.stderr, "2")):
        os.dup2(os.open(f"{printed}/{name}", os.O_WRONLY | os.O_CREAT), stream.fileno())
    sys.argv = ["stdpnet", *words]
    main()


def result(words):
    """Return the exit code of a command, what it printed, its errors, and the files in the folder afterwards."""
    with tempfile.TemporaryDirectory() as printed:
        process = multiprocessing.get_context("fork").Process(target=run, args=(words, printed))
        process.start()
        process.join()
        texts = [Path(printed, name).read_text() for name in ("1", "2")]
    return process.exitcode, *texts, sorted(map(str, Path().rglob("*")))


if __name__ == "__main__":
    _command()  # the commands and the digits are prepared once for all processes
    _scaled_up()
    print(json.dumps([result(words) for words in json.loads(sys.argv[1])]))
