"""Figure 2: the three architectures as schemes, with their synapse counts.

python analysis/paper/figure_02.py [RUN ...] [--folder runs/paper]
"""

from matplotlib.figure import Figure

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.architecture import plot_architecture
from stdpnet_analysis.paper.harness import Network, PaperFigure, main
from stdpnet_analysis.view import RunView


def draw(views: list[RunView]) -> Figure:
    """Draw the network of each run, over one of its images."""
    figure = style.new_figure(style.DOUBLE, 47)
    for axes, view in zip(figure.subplots(1, len(views), squeeze=False)[0], views, strict=True):
        geometry = view.spec.geometry
        plot_architecture(axes, geometry, view.dataset.calibration.images[0])
        counts = f"{geometry.feedforward_synapses:,} + {geometry.competition_synapses:,} synapses"
        axes.set_title(f"{view.spec.topology.label}\n{counts.replace(',', chr(0x202F))}")
    legend = "shades: sets of weights; one shade: positions share their kernels; arcs: competition"
    figure.supxlabel(f"{legend}; of more than five positions the corners and the middle are drawn", fontsize=6.5)
    return figure


FIGURE = PaperFigure(
    "figure-02-architectures", (Network("lcsnn-100-k12"), Network("csnn-81-k12"), Network("fcsnn-100")), draw
)

if __name__ == "__main__":
    main(FIGURE, __doc__)
