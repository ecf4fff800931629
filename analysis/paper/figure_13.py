"""Figure 13: learned competition clamped during training: weights, receptive fields, accuracy on the test images.

python analysis/paper/figure_13.py [RUN [CLAMPED ...]] [--seeds 3] [--folder runs/paper]
"""

from matplotlib.figure import Figure

from stdpnet_analysis.competition_weights import off_diagonal
from stdpnet_analysis.figures import style
from stdpnet_analysis.figures.competition import plot_competition_weights
from stdpnet_analysis.figures.learning import group_by_seed
from stdpnet_analysis.figures.receptive_fields import plot_receptive_fields, top_weight
from stdpnet_analysis.paper.harness import Network, PaperFigure, main
from stdpnet_analysis.readouts import title_of
from stdpnet_analysis.readouts.scores import accuracies, best_of
from stdpnet_analysis.statistics import summarise
from stdpnet_analysis.text import percent, with_minus
from stdpnet_analysis.view import RunView


def bounds(view: RunView) -> str:
    """Return the range of a run's competition weights in words."""
    low, high = view.spec.competition.w_min, view.spec.competition.w_max
    if low == float("-inf") and high == 0:
        return "not clamped"
    return with_minus(f"clamped to {'(−∞' if low == float('-inf') else f'[{low:g}'}, {high:g}] mV")


def accuracy(views: list[RunView], column: str) -> str:
    """Return mean and deviation over seeds of the accuracy of a column, %."""
    scores = [accuracies(view.required_scores) for view in views]
    found = [accuracy[name] for accuracy in scores if (name := best_of(column, accuracy)) is not None]
    return f"{title_of(column)} {percent(summarise(found))} %"


def draw(views: list[RunView]) -> Figure:
    """Draw the first seed of each network: its competition weights above, its receptive fields below."""
    groups = list(group_by_seed(views).values())
    figure = style.new_figure(max(style.SINGLE, 60.0 * len(groups)), 120)
    rows = figure.subplots(2, len(groups), squeeze=False, height_ratios=(2, 3))
    high = max(top_weight(members[0].network.weights) for members in groups)
    for weights, fields, members in zip(*rows, groups, strict=True):
        view = members[0]
        plot_competition_weights(weights, {"learned": off_diagonal(view.network.competition)})
        seeds = f"{len(members)} seed{'s' if len(members) > 1 else ''}"
        words = "\n".join((bounds(view), *(accuracy(members, column) for column in ("vote", "log_evidence")), seeds))
        weights.set_title(words, pad=16)
        image = plot_receptive_fields(fields, view.network.weights, v_max=high)
    style.bar_below(figure, image, rows[1], "feedforward weight, mV")
    scored = view.required_scores["protocol"]["images"]
    figure.suptitle(f"Competition clamped during training: {view.label}; {scored} {view.split} images")
    return figure


BASE = "lcsnn-25-k12-learned-thesis"
CLAMPED = tuple(
    Network(BASE, (f"competition.{key}={bound}",), f"lcsnn-25-k12-{key.replace('_', '-')}{bound}")
    for key, bound in (("w_min", -350), ("w_max", -100))
)
FIGURE = PaperFigure("figure-13-clamping", (Network(BASE), *CLAMPED), draw, all_seeds=True, fewest_seeds=3)

if __name__ == "__main__":
    main(FIGURE, __doc__)
