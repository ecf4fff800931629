"""The experiments that come with stdpnet: each row of the thesis's Table 2, twice, and the digits demo.

`<architecture>-<channels>-k<kernel>[-learned]-thesis` has the parameters that the thesis's published networks carry,
the same name without `-thesis` the better ones found since. configs/ holds the same experiments as files (a test
compares them; `python -m stdpnet.spec.presets configs` writes them).
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from stdpnet.spec.experiment import ExperimentSpec

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

# What the thesis ran; neuron and plasticity have its values by default.
_THESIS: Tables = {"encoder": {"kind": "poisson_isi"}, "training": {"images": 4000}}

# tau_theta has an equilibrium: with 1e7 ms theta grows without end, and long runs go silent (docs/homeostasis.md).
_BETTER: Tables = {
    "neuron": {"v_thresh": -60.0, "tau_v": 100.0, "theta_plus": 0.2, "tau_refrac": 2.0},
    "encoder": {"max_rate": 255.0},
    "plasticity": {"A_plus": 0.003, "A_minus": 0.0, "tau_plus": 40.0, "mean_weight": 0.2},
    "competition": {"c_w": -200.0},
}

# A high threshold and a long membrane let one neuron win from the first image on; a regular input, less noisy than a
# Poisson one in the sum of 400 pixels, gains 1.6 points (validation images).
_BETTER_FCSNN: Tables = {
    "neuron": {"v_thresh": -4.0, "tau_v": 716.0, "theta_plus": 0.33, "tau_theta": 3.6e6, "tau_refrac": 2.0},
    "encoder": {"kind": "regular", "max_rate": 236.0},
    "plasticity": {"A_plus": 0.0062, "A_minus": 0.0, "tau_plus": 117.0, "mean_weight": 0.171},
    "competition": {"c_w": -468.0},
}

_DIGITS: Tables = _BETTER | {
    "dataset": {"name": "digits"},
    "topology": {"channels": 50, "kernel": 12},
    "training": {"images": 2000},
}


def _topology(row: Row) -> dict[str, Any]:
    kernel = {} if row.network == "fcsnn" else {"kernel": row.kernel}
    return {"architecture": ARCHITECTURES[row.network], "channels": row.channels, **kernel}


def _thesis(row: Row) -> ExperimentSpec:
    tables = {
        **_THESIS,
        "plasticity": {"mean_weight": row.thesis_mean_weight},
        "competition": {"c_w": row.thesis_c_w, "learned": row.learned},
    }
    return ExperimentSpec(topology=_topology(row), **tables)


def _better(row: Row) -> ExperimentSpec:
    tables = _BETTER_FCSNN if row.network == "fcsnn" else _BETTER
    if row.network != "fcsnn" and row.channels >= 100:  # a neuron among many wins less often, and may take longer
        tables = {**tables, "neuron": {**tables["neuron"], "tau_theta": 3e6}}
    competition = {**tables["competition"], "learned": row.learned}
    return ExperimentSpec(**{**tables, "topology": _topology(row), "competition": competition})


@cache
def _presets() -> dict[str, ExperimentSpec]:
    presets = {"digits": ExperimentSpec(**_DIGITS)}
    for row in TABLE_2.values():
        presets[row.name] = _better(row)
        presets[f"{row.name}-thesis"] = _thesis(row)
    return presets


def preset_names() -> list[str]:
    """Return the names of all presets, sorted."""
    return sorted(_presets())


def preset(name: str) -> ExperimentSpec:
    """Return the preset of a name that preset_names() lists."""
    return _presets()[name]


def write_configs(folder: Path) -> None:
    """Write every preset to `<folder>/<name>.toml`, only what differs from the defaults."""
    from stdpnet.spec.load import dump_config

    for name in preset_names():
        text = dump_config(preset(name), only_changed=True)
        (folder / f"{name}.toml").write_text(
            f"# `stdpnet config show {name}` prints every key with its meaning.\n{text}"
        )


if __name__ == "__main__":
    write_configs(Path(sys.argv[1]))
