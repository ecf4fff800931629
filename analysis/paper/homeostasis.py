"""Compare what keeps a long run from going silent: 60 000 MNIST images under each homeostasis that stdpnet has.

    python analysis/paper/homeostasis.py [--images 60000] [--channels 25] [--runs runs/homeostasis] [--out docs]

Trains what is missing (after an interruption the same command goes on), then writes homeostasis-table.md and
homeostasis.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import stdpnet
from stdpnet.runs import Run
from stdpnet_analysis.cluster.jobs import complete
from stdpnet_analysis.figures import save, style
from stdpnet_analysis.paper.harness import guarded
from stdpnet_analysis.tables import markdown_lines

COMMON = [
    "dataset.validation=5000",
    "curve.every=2500",
    "curve.validation=5000",
    "health.action=ignore",
]
OPTIONS = {
    "tau_theta 1e7 ms": ["neuron.tau_theta=1e7"],
    "tau_theta 1e6 ms": ["neuron.tau_theta=1e6"],
    "tau_theta 3e5 ms": ["neuron.tau_theta=3e5"],
    "target rate 0.4 Hz": ["neuron.tau_theta=1e7", "neuron.target_rate=0.4"],
    "half-life 10 000": ["neuron.tau_theta=1e7", "plasticity.half_life=10000"],
    "half-life 10 000, tau_theta 1e6 ms": ["neuron.tau_theta=1e6", "plasticity.half_life=10000"],
    "retry below 10 spikes": ["neuron.tau_theta=1e7", "training.min_spikes=10"],
}
STYLES = ("-", "-", "--", "-", "--", "-", ":")


def train_option(folder: Path, name: str, keys: list[str], images: int, channels: int) -> Run:
    """Return the finished run of an option, trained as far as needed."""
    slug = name.replace(" ", "-").replace(",", "")
    spec = stdpnet.load_config(f"lcsnn-{channels}-k12-steady", [*COMMON, *keys, f"training.images={images}"])
    return complete(spec, folder / f"{channels}-{slug}", threads=None)


def plot_curves(figure: Figure, runs: dict[str, Run]) -> None:
    """Draw validation accuracy of votes and linear read-out, and spikes per image, against training images."""
    panels = figure.subplots(1, 3, sharex=True)
    for number, (name, run) in enumerate(runs.items()):
        rows = [row for row in run.rows("curve") if row["images"] > 0]
        images = np.array([row["images"] for row in rows]) / 1000
        for panel, values in zip(
            panels,
            (
                [100 * row["accuracy"]["all"] for row in rows],
                [100 * row["accuracy"]["linear"] for row in rows],
                [row["spikes_per_image"] for row in rows],
            ),
            strict=True,
        ):
            panel.plot(images, values, STYLES[number], color=style.colour(number), label=name)
    titles = ("vote (all)", "linear read-out", "activity")
    for panel, title, unit in zip(panels, titles, ("validation accuracy, %",) * 2 + ("spikes per image",), strict=True):
        panel.set(title=title, xlabel="training images, thousands", ylabel=unit)
        panel.grid()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)


def table(runs: dict[str, Run]) -> str:
    """Return a Markdown table: accuracy and activity at 5000 images and at the end."""
    headings = ["homeostasis", "vote at 5000", "vote at the end", "linear at 5000", "linear at the end"]
    found = []
    for name, run in runs.items():
        rows = run.rows("curve")
        early, late = next(row for row in rows if row["images"] == 5000), rows[-1]
        cells = [f"{100 * row['accuracy'][readout]:.1f}" for readout in ("all", "linear") for row in (early, late)]
        found.append([name, *cells, f"{late['spikes_per_image']:.1f}, {late['silent_images']:.1%}"])
    return "\n".join(markdown_lines([*headings, "spikes/image, silent"], found)) + "\n"


def main() -> None:
    """Train, and write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--channels", type=int, default=25)
    parser.add_argument("--runs", type=Path, default=Path("runs/homeostasis"))
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--only", nargs="*", help="names of options; default all")
    arguments = parser.parse_args()
    options = {name: keys for name, keys in OPTIONS.items() if not arguments.only or name in arguments.only}
    runs = {}
    for name, keys in options.items():
        runs[name] = train_option(arguments.runs, name, keys, arguments.images, arguments.channels)
        print(f"{name}: {runs[name].path}", flush=True)
    arguments.out.mkdir(exist_ok=True)
    with style.context():
        figure = style.new_figure(style.DOUBLE, 75)
        plot_curves(figure, runs)
        save(figure, arguments.out / "homeostasis.png")
    (arguments.out / "homeostasis-table.md").write_text(table(runs))


if __name__ == "__main__":
    guarded(main)
