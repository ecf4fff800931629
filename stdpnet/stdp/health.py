"""Checks of a row of progress: a silent network, dead neurons, a runaway rate and more, each with a hint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stdpnet.model import Finding
from stdpnet.stdp.spec.experiment import STDPExperiment


def examine(spec: STDPExperiment, row: Mapping[str, Any]) -> list[Finding]:
    """Return what is unhealthy in a row of progress (see stdpnet.stdp.statistics.summarise).

    Parameters
    ----------
    spec : the experiment, with the bounds in spec.health
    row : the interval's statistics
    """
    if not row["finite"]:
        hint = "lower plasticity.A_plus and competition.A_plus, or bound competition.w_min"
        return [Finding("not finite", f"weights, theta or competition are not finite numbers; {hint}", fatal=True)]
    if spec.health.action == "ignore":
        return []
    return [*_of_spikes(spec, row), *_of_weights(spec, row)]


def _of_spikes(spec: STDPExperiment, row: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is unhealthy in how often neurons spike."""
    health, silent = spec.health, row["silent_images"]
    if silent > min(health.silent_images, health.some_silent_images):
        mild = silent <= health.silent_images
        yield Finding(
            "silent images" if mild else "silent network",
            f"{silent:.0%} of the images get no spike; raise {spec.encoder.or_rate}plasticity.mean_weight, "
            "lower neuron.v_thresh, or keep theta small (neuron.tau_theta, neuron.target_rate)",
            mild=mild,
        )
    if row["dead_neurons"] > health.dead_neurons:
        yield Finding(
            "dead neurons",
            f"{row['dead_neurons']:.0%} of the neurons did not spike during {row['interval_images']} images; raise "
            "neuron.theta_plus so that others get a chance, weaken competition.c_w, or use fewer channels",
        )
    if spec.geometry.channels >= 4 and row["largest_share"] > health.winner:
        yield Finding(
            "one winner",
            f"one neuron has {row['largest_share']:.0%} of its position's spikes; raise neuron.theta_plus, or lower "
            "plasticity.A_plus",
        )
    rate = row["spikes_per_image"] / spec.geometry.neurons / spec.simulation.duration * 1000
    if rate > health.rate:
        yield Finding(
            "runaway rate",
            f"the neurons fire at {rate:.0f} Hz on average; lower {spec.encoder.or_rate}plasticity.mean_weight, raise "
            "neuron.v_thresh, or strengthen competition.c_w",
        )


def _of_weights(spec: STDPExperiment, row: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is unhealthy in the feedforward weights and how they change."""
    health, at_bounds = spec.health, row["at_w_min"] + row["at_w_max"]
    if at_bounds > min(health.saturated, health.some_saturated):
        mild = at_bounds <= health.saturated
        yield Finding(
            "many saturated weights" if mild else "saturated weights",
            f"{at_bounds:.0%} of the weights are at a bound; lower plasticity.A_plus and A_minus, or raise w_max",
            mild=mild,
        )
    similarity = row.get("similarity") or 0.0  # rows of older versions lack it
    if similarity > health.similarity:
        yield Finding(
            "alike neurons",
            f"the neurons of a position have learned nearly the same (mean correlation {similarity:.2f}); strengthen "
            "competition.c_w, or lower plasticity.A_plus",
            mild=True,
        )
    learns_xy = not spec.training.two_step or row["images"] <= spec.training.two_step
    if learns_xy and row["weight_change"] < health.unchanged * spec.plasticity.mean_weight:
        yield Finding(
            "nothing learned",
            f"the weights changed by {row['weight_change']:.2g} mV on average; raise plasticity.A_plus, or look at why "
            "few neurons spike",
        )
    if row["unnormalised"] > 0:
        yield Finding(
            "not normalised",
            f"{row['unnormalised']} times a neuron had no weight left to normalise; lower plasticity.A_minus",
        )
