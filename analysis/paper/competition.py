"""Does learned competition beat fixed competition? Paired seeds, the same tuning budget for each kind of competition.

    python analysis/paper/competition.py [--networks lcsnn-25-k12,...] [--trials 24] [--folder runs/competition]

For each network and each kind of competition, the script first makes a search of --trials trials on validation images.
The search varies the competition and the same three other keys; its first trial has the values of the preset. Then
the parameters of the best trial are trained with fresh seeds and scored on the test images. competition.md, .json and
.png are written into the folder. After an interruption the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stdpnet.errors import ConfigError
from stdpnet.spec.load import refuse_key
from stdpnet_analysis.cluster.pool import pool
from stdpnet_analysis.paper.competition_results import write
from stdpnet_analysis.paper.competition_search import NETWORKS, Options, Result, compare_on_test, kinds
from stdpnet_analysis.paper.harness import add_set_option, guarded


def main() -> None:
    """Search, test, and write tables and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", default=",".join(NETWORKS), help="presets, with commas")
    parser.add_argument("--trials", type=int, help="of each search; default 24, 12 or 4 by size")
    parser.add_argument("--seeds", type=int, help="seeds of each test; default 10, 5 of 1000 channels")
    parser.add_argument("--workers", type=int, help="processes; default one per core")
    parser.add_argument("--folder", type=Path, default=Path("runs/competition"))
    add_set_option(parser)
    words = parser.parse_args()
    refuse_key("seed", words.keys, "--seeds")
    options = Options(folder=words.folder.resolve(), trials=words.trials, seeds=words.seeds, keys=tuple(words.keys))
    names = words.networks.split(",")
    if unknown := set(names) - set(NETWORKS):
        raise ConfigError(f"--networks {', '.join(sorted(unknown))}: unknown; choose from {', '.join(NETWORKS)}")
    networks: dict[str, Sequence[Result]] = {}
    with pool(workers=words.workers) as client:
        for network in names:
            networks[network] = []
            for kind in kinds(network):
                networks[network] = [*networks[network], compare_on_test(network, kind, options, client)]
                print(f"{network}, {kind}: validation {100 * networks[network][-1].validation:.2f} %", file=sys.stderr)
            write(networks, options.folder)
            print(options.folder / "competition.md", flush=True)


if __name__ == "__main__":
    guarded(main)
