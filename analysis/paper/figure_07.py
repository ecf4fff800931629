"""Figure 7: learning curves of the three architectures by every read-out, with bands over seeds.

python analysis/paper/figure_07.py [RUN ...] [--seeds 5] [--folder runs/paper]
"""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.learning import curve_of, group_by_seed, plot_learning_curves
from stdpnet_analysis.paper.harness import WITH_CURVE, Network, PaperFigure, main
from stdpnet_analysis.readouts import DEFAULT, title_of
from stdpnet_analysis.view import RunView

LOOKS = {
    title_of(name): {"color": style.colour(number), "linestyle": style.LINES[number % len(style.LINES)]}
    for number, name in enumerate(DEFAULT)
}
"""Colour and line style of each read-out."""


def draw(views: list[RunView]) -> Figure:
    """Draw a panel for each network, in it a curve for each read-out."""
    groups = group_by_seed(views)
    figure = style.new_figure(style.DOUBLE, 85)
    panels = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    lines = {}
    for axes, members in zip(panels, groups.values(), strict=True):
        found = {name: [curve_of(view, name) for view in members] for name in DEFAULT}
        curves = {title_of(name): [curve for curve in of if curve is not None] for name, of in found.items()}
        shown = {name: of for name, of in curves.items() if of}
        drawn = plot_learning_curves(axes, shown, "validation accuracy, %", looks=[LOOKS[name] for name in shown])
        lines |= {name: line for name, line in drawn.items() if name not in lines}
        spec = members[0].experiment
        images = min(spec.curve.validation, spec.dataset.validation)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axes.set_title(f"{members[0].facts.label}\n{images} validation images, seeds: {len(members)}")
    for axes in panels[1:]:
        axes.set_ylabel("")
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=len(lines))
    return figure


FIGURE = PaperFigure("figure-07-learning-curves", tuple(map(Network, WITH_CURVE)), draw, all_seeds=True)

if __name__ == "__main__":
    main(FIGURE, __doc__)
