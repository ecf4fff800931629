"""The presets of this model: two for each row of the thesis's Table 2, and others for long runs and other datasets.

`<architecture>-<channels>-k<kernel>[-learned]-thesis` has the parameters of the thesis's published networks; the same
name without `-thesis` has better ones, which were found since for 5000 different images. `lcsnn-<channels>-k12-steady`
is for runs of any length, `fashion-lcsnn-<channels>-k12` for Fashion-MNIST; `digits-events` and `n-mnist-lcsnn-25-k12`
are for recordings of event cameras. configs/ holds the same experiments as files (a test compares them;
`python -m stdpnet.spec.presets configs` writes them).
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from stdpnet.stdp.spec.experiment import STDPExperiment

ARCHITECTURES = {"lcsnn": "locally_connected", "csnn": "convolutional", "fcsnn": "fully_connected"}


class Row(NamedTuple):
    """A row of the thesis's Table 2."""

    network: str
    channels: int
    kernel: int
    learned: bool
    thesis_mean_weight: float
    """The thesis's mean feedforward weight, mV."""
    thesis_c_w: float
    """The thesis's competition weight, mV."""

    @property
    def name(self) -> str:
        """The name of the row's preset with better parameters."""
        kernel = "" if self.network == "fcsnn" else f"-k{self.kernel}"
        return f"{self.network}-{self.channels}{kernel}{'-learned' if self.learned else ''}"


# The thesis publishes no LCSNN 1000/12 and CSNN 169/12: they take the parameters of LCSNN 100/12 and CSNN 225/12.
TABLE_2 = {
    1: Row("lcsnn", 1000, 12, False, 0.30, -100.0),
    2: Row("lcsnn", 100, 12, False, 0.30, -100.0),
    3: Row("lcsnn", 100, 8, False, 0.50, -40.0),
    4: Row("lcsnn", 25, 12, True, 0.46, -100.0),
    5: Row("lcsnn", 25, 12, False, 0.46, -126.7),
    6: Row("lcsnn", 25, 8, False, 0.50, -60.0),
    7: Row("csnn", 169, 12, False, 0.40, -100.0),
    8: Row("csnn", 81, 12, False, 0.50, -110.0),
    9: Row("csnn", 100, 8, False, 0.40, -100.0),
    10: Row("csnn", 25, 12, False, 0.50, -80.0),
    11: Row("csnn", 25, 8, False, 0.50, -80.0),
    12: Row("fcsnn", 100, 20, False, 0.30, -80.0),
}

Tables = dict[str, dict[str, Any]]

# The settings of the thesis; the defaults of neuron and plasticity are its values.
_THESIS: Tables = {"encoder": {"kind": "poisson_isi"}, "training": {"images": 4000}}

# With a tau_theta of 1e6 ms theta reaches an equilibrium; with 1e7 ms it grows without end, and long runs become silent
# (docs/homeostasis.md).
_STEADY: Tables = {
    "neuron": {"v_thresh": -60.0, "tau_v": 100.0, "theta_plus": 0.2, "tau_refrac": 2.0},
    "encoder": {"max_rate": 255.0},
    "plasticity": {"A_plus": 0.003, "A_minus": 0.0, "tau_plus": 40.0, "mean_weight": 0.2},
    "competition": {"c_w": -200.0},
}

# Found by random search and TPE on validation images, for 5000 different training images. All use a regular input: its
# sum over a receptive field is less noisy than that of a Poisson input. LCSNN and FCSNN: several passes over the
# images, long tau_v, winner-take-all. CSNN: weak competition, learning rate with a half-life.
_POOL = 5000
_LCSNN_25: Tables = {
    "neuron": {"v_thresh": -57.4, "tau_v": 1070.0, "theta_plus": 0.15, "tau_theta": 1.78e6, "tau_refrac": 5.0},
    "encoder": {"kind": "regular", "max_rate": 387.0},
    "plasticity": {"A_plus": 0.002, "A_minus": 0.0, "tau_plus": 31.6, "mean_weight": 0.282},
    "competition": {"c_w": -863.0},
    "training": {"images": 3 * _POOL, "pool": _POOL},
}
_LCSNN_100: Tables = {
    "neuron": {"v_thresh": 13.0, "tau_v": 332.0, "theta_plus": 0.115, "tau_theta": 1.37e7, "tau_refrac": 3.0},
    "encoder": {"kind": "regular", "max_rate": 402.0},
    "plasticity": {"A_plus": 0.00264, "A_minus": 0.0, "tau_plus": 181.0, "mean_weight": 0.187},
    "competition": {"c_w": -638.0},
    "training": {"images": 4 * _POOL, "pool": _POOL},
}
_LCSNN_1000: Tables = {
    "neuron": {"v_thresh": -47.2, "tau_v": 425.0, "theta_plus": 0.444, "tau_theta": 1e7, "tau_refrac": 2.0},
    "encoder": {"kind": "regular", "max_rate": 379.0},
    "plasticity": {"A_plus": 0.0019, "A_minus": 0.0, "tau_plus": 26.8, "mean_weight": 0.0498},
    "competition": {"c_w": -77.8},
    "training": {"images": 4 * _POOL, "pool": _POOL},
}
_CSNN: Tables = {
    "neuron": {"v_thresh": -58.5, "tau_v": 102.0, "theta_plus": 0.0986, "tau_theta": 1.12e6, "tau_refrac": 0.0},
    "encoder": {"kind": "regular", "max_rate": 189.0},
    "plasticity": {"A_plus": 0.00108, "A_minus": 0.0, "tau_plus": 30.4, "mean_weight": 0.12, "half_life": 2000.0},
    "competition": {"c_w": -50.7},
}
# Four passes raise the log evidence of CSNN 169/12, not that of CSNN 100/8 (docs/accuracy.md).
_CSNN_169: Tables = _CSNN | {
    "plasticity": {**_CSNN["plasticity"], "half_life": 8000.0},
    "training": {"images": 4 * _POOL, "pool": _POOL},
}
_FCSNN: Tables = {
    "neuron": {"v_thresh": 17.1, "tau_v": 1540.0, "theta_plus": 0.204, "tau_theta": 4.72e6, "tau_refrac": 0.0},
    "encoder": {"kind": "regular", "max_rate": 233.0},
    "plasticity": {"A_plus": 0.00679, "A_minus": 0.0, "tau_plus": 187.0, "mean_weight": 0.136, "half_life": 20800.0},
    "competition": {"c_w": -851.0},
    "training": {"images": 6 * _POOL, "pool": _POOL},
}
# Stronger learned weights silence a whole position whatever their values, and are then no better than one fixed weight;
# the values of these matter (docs/competition.md).
_LEARNED: Tables = {
    "neuron": {"tau_v": 211.0, "theta_plus": 0.183},
    "plasticity": {"mean_weight": 0.182},
    "competition": {
        "rule": "anti_stdp",
        "c_w": -255.0,
        "A_plus": -2.9,
        "A_minus": -1.26,
        "tau_plus": 36.6,
        "tau_minus": 22.0,
    },
}
_BETTER = {
    ("lcsnn", 25): _LCSNN_25,
    ("lcsnn", 100): _LCSNN_100,
    ("lcsnn", 1000): _LCSNN_1000,
    ("csnn", 169): _CSNN_169,
    ("fcsnn", 100): _FCSNN,
}
"""Network and channels -> tables; every other CSNN has those of `_CSNN`."""
# Fashion-MNIST's pictures fill their frame and are bright: whole images at a lower rate, and slow learning. Found by
# TPE on its validation images.
_FASHION: Tables = {
    "dataset": {"name": "fashion-mnist", "crop": 28},
    "neuron": {"v_thresh": -9.0, "tau_v": 399.0, "theta_plus": 0.168},
    "encoder": {"kind": "regular", "max_rate": 110.0},
    "plasticity": {"A_plus": 0.00096, "A_minus": 0.0, "tau_plus": 26.0, "mean_weight": 0.258},
    "competition": {"c_w": -694.0},
    "training": {"images": 2 * _POOL, "pool": _POOL},
}
_SMALL_FIELD = 2.0
"""Factor of mean weight and A_plus where a field has half as many pixels (8 x 8 instead of 12 x 12)."""

_DIGITS: Tables = _STEADY | {
    "dataset": {"name": "digits"},
    "topology": {"channels": 50, "kernel": 12},
    "training": {"images": 2000},
}


# Events are rarer than the spikes of a rate code: a longer membrane time constant adds them up.
_EVENTS: Tables = _STEADY | {
    "dataset": {"name": "digits-events", "crop": 24},
    "topology": {"channels": 50, "kernel": 12},
    "neuron": {**_STEADY["neuron"], "tau_v": 400.0},
    "encoder": {"kind": "events"},
    "plasticity": {**_STEADY["plasticity"], "A_plus": 0.006, "mean_weight": 0.1},
    "training": {"images": 4000},
    "simulation": {"duration": 300.0},
}
# Not measured: the weights of digits-events, reduced because there are more events, and as many images as _LCSNN_25.
_N_MNIST: Tables = _EVENTS | {
    "dataset": {"name": "n-mnist", "crop": 28},
    "topology": {"channels": 25, "kernel": 12},
    "plasticity": {**_EVENTS["plasticity"], "A_plus": 0.001, "mean_weight": 0.04},
    "training": {"images": 3 * _POOL, "pool": _POOL},
}


def _topology(row: Row) -> dict[str, Any]:
    kernel = {} if row.network == "fcsnn" else {"kernel": row.kernel}
    return {"architecture": ARCHITECTURES[row.network], "channels": row.channels, **kernel}


def _thesis(row: Row) -> STDPExperiment:
    tables = {
        **_THESIS,
        "plasticity": {"mean_weight": row.thesis_mean_weight},
        "competition": {"c_w": row.thesis_c_w, "rule": "anti_stdp" if row.learned else "fixed"},
    }
    return STDPExperiment(topology=_topology(row), **tables)


def _better(row: Row) -> STDPExperiment:
    tables = _BETTER.get((row.network, row.channels), _CSNN)
    if row.kernel == 8 and tables is not _LCSNN_25:
        plasticity = tables["plasticity"]
        doubled = {key: _SMALL_FIELD * plasticity[key] for key in ("A_plus", "mean_weight")}
        tables = {**tables, "plasticity": {**plasticity, **doubled}}
    if row.learned:
        tables = {**tables, **{name: {**tables[name], **keys} for name, keys in _LEARNED.items()}}
    return STDPExperiment(**{**tables, "topology": _topology(row)})


def _steady(channels: int) -> STDPExperiment:
    """Return a network whose theta has an equilibrium; with many channels a neuron wins less often."""
    neuron = {**_STEADY["neuron"], "tau_theta": 1e6 if channels < 100 else 3e6}
    topology = {"channels": channels, "kernel": 12}
    return STDPExperiment(**{**_STEADY, "neuron": neuron, "topology": topology})


def _fashion(channels: int) -> STDPExperiment:
    """Return a network for Fashion-MNIST."""
    homeostasis = {25: {"tau_theta": 1.5e6, "tau_refrac": 5.0}, 100: {"tau_theta": 1.37e7, "tau_refrac": 3.0}}
    neuron = {**_FASHION["neuron"], **homeostasis[channels]}
    return STDPExperiment(**{**_FASHION, "neuron": neuron, "topology": {"channels": channels, "kernel": 12}})


@cache
def presets() -> dict[str, STDPExperiment]:
    """Return every preset of this model, by name."""
    presets = {"digits": STDPExperiment(**_DIGITS), "digits-events": STDPExperiment(**_EVENTS)}
    presets["n-mnist-lcsnn-25-k12"] = STDPExperiment(**_N_MNIST)
    presets |= {f"lcsnn-{channels}-k12-steady": _steady(channels) for channels in (25, 100)}
    presets |= {f"fashion-lcsnn-{channels}-k12": _fashion(channels) for channels in (25, 100)}
    for row in TABLE_2.values():
        presets[row.name] = _better(row)
        presets[f"{row.name}-thesis"] = _thesis(row)
    return presets
