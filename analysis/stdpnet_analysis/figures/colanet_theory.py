"""Draw how CoLaNET learns a class on a line: closed forms over a simulation (stdpnet_analysis.colanet_theory)."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stdpnet.arrays import Float64s
from stdpnet_analysis.colanet_theory import Simulation, Theory, gaussian
from stdpnet_analysis.figures import style

THEORY: Any = {"color": "black", "linestyle": "--"}


def plot_profiles(axes: Axes, simulation: Simulation) -> None:
    """Draw the weights of each microcolumn that specialises, and the Gaussian that fits them."""
    for number, (profile, fit) in enumerate(zip(simulation.profiles, simulation.fits, strict=True)):
        axes.plot(simulation.positions, profile, color=style.colour(number))
        label = "Gaussian" if number == 0 else None
        axes.plot(simulation.positions, gaussian(simulation.positions, *fit), label=label, linewidth=0.6, **THEORY)
    axes.set(xlabel="centre of the receptor", ylabel="weight")
    axes.margins(y=0.15)  # room for the legend above the curves
    axes.legend(loc="upper left")


def plot_resource(axes: Axes, theory: Theory, simulation: Simulation) -> None:
    """Draw the resource in the centre of a microcolumn over time."""
    _compared(axes, simulation.t, simulation.resource, theory.resource(simulation.t))
    axes.set(xlabel="points of the class shown", ylabel="resource in the centre")


def plot_accuracy(axes: Axes, theory: Theory, simulation: Simulation) -> None:
    """Draw the accuracy over time."""
    _compared(axes, simulation.t, simulation.accuracy, theory.accuracy(simulation.t))
    axes.set(xlabel="points of the class shown", ylabel="accuracy")


def _compared(axes: Axes, t: Float64s, simulated: Float64s, expected: Float64s) -> None:
    axes.plot(t, simulated, color=style.colour(0), label="simulation")
    axes.plot(t, expected, label="theory", **THEORY)
    axes.legend()


def figure_of(theory: Theory, simulation: Simulation) -> Figure:
    """Return the figure: profiles of weights, resource and accuracy over time."""
    with style.context():
        figure = style.new_figure(style.DOUBLE, 55)
        left, middle, right = figure.subplots(1, 3)
        plot_profiles(left, simulation)
        plot_resource(middle, theory, simulation)
        plot_accuracy(right, theory, simulation)
    return figure
