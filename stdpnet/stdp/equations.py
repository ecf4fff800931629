"""The equations of a configured spiking network (docs/model.md), for a methods section."""

from __future__ import annotations

from stdpnet.description import Equation
from stdpnet.stdp.spec.experiment import STDPExperiment

COMPETITION = {
    "fixed": Equation("Competition", "c_ij = c_w between neurons of one position", r"c_{ij} = c_w"),
    "anti_stdp": Equation(
        "Competition, learned by anti-STDP",
        "pre spike: c = clip(c - A_minus*b); post spike: c = clip(c + A_plus*a)",
        r"\Delta c_{ij} = -A_-^{YY} b_j \text{ (pre)}, \quad +A_+^{YY} a_i \text{ (post)}",
    ),
    "rate_target": Equation(
        "Competition, learned towards a target rate",
        "pre spike: c = clip(c - eta*(b - alpha)); post spike: c = clip(c - eta*a)",
        r"\Delta c_{ij} = -\eta (b_j - \alpha) \text{ (pre)}, \quad -\eta a_i \text{ (post)}",
    ),
    "anti_hebbian": Equation(
        "Competition, learned by the anti-Hebbian rule",
        "after each presentation: c = clip(c - eta*(n_pre*n_post - p*p))",
        r"\Delta c_{ij} = -\eta (n_i n_j - p^2)",
    ),
}

PLASTICITY = {
    False: Equation(
        "Plasticity of the feedforward weights",
        "pre spike: w = clip(w - A_minus*y); post spike: w = clip(w + A_plus*x), within [w_min, w_max]",
        r"\Delta w_{ij} = -A_- y_j \text{ (pre)}, \quad +A_+ x_i \text{ (post)}",
    ),
    True: Equation(
        "Plasticity of the feedforward weights, which the positions share",
        "each step: w = clip(w + sum over positions of (-A_minus*y for a pre spike, +A_plus*x for a post spike)), "
        "within [w_min, w_max]",
        r"\Delta w_{ij} = \sum_\text{positions} \left(-A_- y_j \text{ (pre)}, \quad +A_+ x_i \text{ (post)}\right)",
    ),
}
"""By whether positions share their weights."""
INPUT = Equation(
    "Rate at which a pixel of value g, 0 to 255, spikes",
    "rate = max_rate*g/255, with intervals as encoder.kind says",
    r"r_i = r_\text{max} \frac{g_i}{255}",
)
HALF_LIFE = Equation(
    "Learning rate of training image number m, from 0",
    "A_plus and A_minus times 2^(-m/half_life)",
    r"A_\pm(m) = A_\pm\, 2^{-m/H}",
)
TARGET_RATE = Equation(
    "Threshold after each presentation",
    "theta = max(theta - theta_plus*target_rate*duration/1000, 0)",
    r"\theta \leftarrow \max(\theta - \theta_+ r_0 T, 0)",
)
DRIFT = Equation(
    "Drift of the competition after each presentation", "c = clip(c + drift)", r"c_{ij} \leftarrow c_{ij} + \delta"
)


def equations(spec: STDPExperiment) -> list[Equation]:
    """Return the equations of a network from its input to its competition, as they are configured.

    Recorded events are the input spikes themselves, which need no equation.
    """
    found = [
        *([] if spec.encoder.kind == "events" else [INPUT]),
        Equation(
            "Membrane potential",
            "tau_v dv/dt = -(v - v_rest); each spike adds the weight of its synapse, w or c, one step later",
            r"\tau_v \frac{dv_j}{dt} = -(v_j - v_\text{rest}), \quad "
            r"v_j \leftarrow v_j + w_{ij} \text{ or } c_{ij} \text{ one step after a spike of } i",
        ),
        Equation(
            "Spike and adaptive threshold",
            "spike at v >= v_thresh + theta; then v = v_reset for tau_refrac, theta = theta + theta_plus; "
            "tau_theta dtheta/dt = -theta",
            r"v \ge v_\text{thresh} + \theta, \quad \tau_\theta \frac{d\theta}{dt} = -\theta, \quad "
            r"\theta \leftarrow \theta + \theta_+, \; v \leftarrow v_\text{reset} \text{ for } \tau_\text{refrac} "
            r"\text{ at a spike of } j",
        ),
        Equation(
            "Traces",
            "tau_plus dx/dt = -x, tau_minus dy/dt = -y; a spike "
            + ("adds 1" if spec.plasticity.traces == "all_to_all" else "sets its trace to 1"),
            r"\tau_+ \frac{dx}{dt} = -x, \quad \tau_- \frac{dy}{dt} = -y",
        ),
        PLASTICITY[spec.geometry.shared],
        Equation(
            "Normalisation after each presentation"
            + (" of the neurons that spiked" if spec.plasticity.normalise == "spiked" else ""),
            "w_ij = clip(w_ij * mean_weight * fan_in / sum_i w_ij)",
            r"w_{ij} \leftarrow \operatorname{clip}\left(w_{ij} \frac{\bar{w} N_j}{\sum_i w_{ij}}\right)",
        ),
    ]
    if spec.plasticity.half_life:
        found.append(HALF_LIFE)
    if spec.neuron.target_rate:
        found.append(TARGET_RATE)
    if rule := COMPETITION.get(spec.competition.rule):
        found.append(rule)
    if spec.competition.is_learned and spec.competition.drift:
        found.append(DRIFT)
    return found
