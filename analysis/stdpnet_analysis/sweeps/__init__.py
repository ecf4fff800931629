"""Sweeps: a search for parameters by validation accuracy, whose trials are ordinary runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stdpnet.training import StopRequest
from stdpnet_analysis.cluster.pool import warm_up
from stdpnet_analysis.sweeps.directory import StudyDirectory, default_folder, load_study
from stdpnet_analysis.sweeps.driver import Driver
from stdpnet_analysis.sweeps.spec import StudySpec

if TYPE_CHECKING:
    from distributed import Client
    from optuna.trial import FrozenTrial

__all__ = ["StudyDirectory", "StudySpec", "default_folder", "load_study", "sweep"]


def sweep(
    directory: StudyDirectory,
    client: Client,
    ended: Callable[[FrozenTrial], None] = lambda _: None,
    stop: StopRequest | None = None,
) -> None:
    """Run a study, or go on with it, on the workers of a client, until its budget is spent (see Driver).

    Parameters
    ----------
    directory : the study
    client : the workers; they share the file system of the study's folder
    ended : called with every trial that ends
    stop : a request to stop, such as one made by a signal
    """
    warm_up(client, directory.base)
    Driver(directory, client, ended, stop).go()
