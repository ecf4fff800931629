"""Optional packages: a module that uses them calls `require` with their extra before it imports them."""

from __future__ import annotations

from importlib.util import find_spec

from stdpnet.errors import ExtraError

EXTRAS = {
    "sweeps": ("cmaes", "cryptography", "distributed", "optuna"),
    "report": ("jinja2",),
    "inspect": ("bokeh",),
    "nir": ("nir",),
    "tensorboard": ("tensorboardX",),
}
"""Packages of each extra, by the names under which they are imported. `sweeps` serves `stdpnet sweep`, `study`,
`reproduce`, and `--scheduler` of `train`, `resume` and `evaluate`; `report` serves `stdpnet report`, `inspect` serves
`stdpnet inspect`, `nir` serves `stdpnet export RUN FILE.nir`, `tensorboard` serves `progress.tensorboard = true`."""


def require(extra: str) -> None:
    """Raise ExtraError unless all packages of an extra are installed."""
    missing = [name for name in EXTRAS[extra] if find_spec(name) is None]
    if missing:
        raise ExtraError(
            f"{', '.join(missing)}: not installed; `pip install 'stdpnet[{extra}]'` installs what is needed"
        )
