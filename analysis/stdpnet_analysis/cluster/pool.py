"""The pool of processes that compute: a cluster on this machine, or a running one."""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import sys
import threading
import warnings
from asyncio import CancelledError
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import dask.config
import dask.utils
import numpy as np
from distributed import Client, Future, KilledWorker, LocalCluster, WorkerPlugin
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.security import Security
from distributed.utils import get_mp_context
from typing_extensions import TypedDict

from stdpnet.data import Split
from stdpnet.errors import ConfigError, EngineError, ExtraError, RunError
from stdpnet.machine import allow_open_files
from stdpnet.model import open_model
from stdpnet.parallel import available_cores
from stdpnet.random import Stream
from stdpnet.reading import shortened, visible
from stdpnet.runs.files import read_json
from stdpnet.spec.experiment import Experiment
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.identity import LIBRARIES, code_digest

_LOG = logging.getLogger(__name__)

LEAST_MEMORY = 2**28
"""Bytes that a worker process needs at least."""
FILES, FILES_OF_A_WORKER = 36, 12
"""Files, pipes and connections that a command with a local cluster has open: always, and for each of its workers."""
CONNECT_SECONDS = 15
"""Seconds in which a scheduler must answer."""
CERTIFICATES = (
    "its authority's in DASK_DISTRIBUTED__COMM__TLS__CA_FILE",
    "this client's in DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY",
)
"""What a scheduler with an address tls://... needs of its client: Dask's own settings, here as variables."""
SETTINGS = {
    # States and spikes travel inside tasks on purpose: a task that is computed again elsewhere needs them.
    "distributed.admin.large-graph-warning-threshold": "4GB",
    # One process imports the libraries and forks the workers of this machine, instead of each importing them.
    "distributed.worker.multiprocessing-method": "forkserver",
    # Dask would sample the stacks of every process 100 times a second, for pages that nobody looks at.
    "distributed.worker.profile.enabled": False,
    # How often a process measures the delay of its event loop, of which Dask warns after 3 s; the default is 20 ms.
    "distributed.admin.tick.interval": "500ms",
}
IMPORTED = ["distributed", "stdpnet_analysis.sweeps.trial", "stdpnet_analysis.cluster.forked"]
"""Modules that the process that forks the workers imports."""


class _SharedTerminal(WorkerPlugin):
    """Makes workers ignore Ctrl-C and print each warning only once.

    A terminal sends Ctrl-C to the workers, too, but the driver decides what it means.
    """

    def setup(self, worker: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        warnings.showwarning = _show_once


_SHOWN: set[str] = set()


def _show_once(message: Warning | str, *place: object, **_: object) -> None:
    if str(message) not in _SHOWN:
        _SHOWN.add(str(message))
        print(f"warning: {visible(str(message))}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def pool(
    scheduler: str | None = None,
    scheduler_file: str | Path | None = None,
    *,
    workers: int | None = None,
    memory: str = "auto",
) -> Iterator[Client]:
    """Give a client of a cluster whose processes compute with one thread each.

    Parameters
    ----------
    scheduler : address of a running scheduler, such as tcp://host:8786
    scheduler_file : file in which a running scheduler has written its address
    workers : processes of a cluster on this machine, where no scheduler is named; default one per core
    memory : most memory of such a process, such as 4GB; auto: an equal share of the machine's

    Raises
    ------
    ConfigError
        If options contradict each other, or no scheduler answers.
    EngineError
        If a worker would compute with other code.
    """
    address = _address(scheduler, scheduler_file, workers)
    with dask.config.set(SETTINGS), contextlib.ExitStack() as stack:
        if address is None:
            cluster = stack.enter_context(_local_cluster(workers or available_cores(), _memory(memory)))
            client = stack.enter_context(Client(cluster))
            with _no_worker_lost():
                client.register_plugin(_SharedTerminal())
        else:
            client = stack.enter_context(_connected(address))
            if not client.nthreads():
                _LOG.warning("%s: has no worker yet; waiting for one", " ".join(address.values()))
                client.wait_for_workers(1)
        check_code(client)
        yield client


def _local_cluster(workers: int, memory: str) -> LocalCluster:
    """Return processes of this machine; EngineError if they cannot start.

    Scheduler, workers and client share a key that exists in their memory only: other processes that reach their ports,
    such as those of another user of this machine, are refused.
    """
    try:
        key = Security.temporary()
    except ImportError:
        raise ExtraError(
            "cryptography: not installed; `pip install 'stdpnet[sweeps]'` installs what a local cluster needs"
        ) from None
    allow_open_files(f"--workers {workers}", FILES + FILES_OF_A_WORKER * workers)
    get_mp_context().set_forkserver_preload(IMPORTED)  # after distributed has set its own list
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=memory,
            dashboard_address="127.0.0.1:0",  # any free port, so that several pools do not collide
            scheduler_kwargs={"dashboard": False},  # without its pages, for which bokeh would be imported
            silence_logs="CRITICAL",
            security=key,
        )
    except (OSError, RuntimeError, TimeoutError, AssertionError) as error:  # AssertionError: a worker died
        raise EngineError(
            f"the worker processes of this machine do not start ({shortened(error)}); use fewer --workers"
        ) from None


def _address(scheduler: str | None, scheduler_file: str | Path | None, workers: int | None) -> dict[str, str] | None:
    """Return how to reach a running scheduler, or None if there is none."""
    if scheduler is not None and scheduler_file is not None:
        raise ConfigError("--scheduler, --scheduler-file: both name a scheduler; leave one out")
    if scheduler is None and scheduler_file is None:
        return None
    if workers is not None:
        raise ConfigError(f"--workers {workers}: a running scheduler has its workers; leave --workers out")
    if scheduler_file is not None and not Path(scheduler_file).is_file():
        raise ConfigError(f"--scheduler-file {scheduler_file}: no such file; start `dask scheduler` with it first")
    return {"address": scheduler if scheduler is not None else _written_address(Path(str(scheduler_file)))}


class _SchedulerFile(TypedDict):
    """The file in which a scheduler writes its address."""

    address: str


def _written_address(path: Path) -> str:
    """Return the address in a scheduler's file; ConfigError if it has none."""
    try:
        written: _SchedulerFile = read_json(path, _SchedulerFile, "start `dask scheduler` with it first")
    except RunError as error:
        raise ConfigError(f"--scheduler-file {error}") from None
    return written["address"]


def _connected(address: dict[str, str]) -> Client:
    """Return a client of a running scheduler; ConfigError if none answers in time."""
    named, made = " ".join(address.values()), Queue[Client | str]()

    def connect() -> None:
        try:
            made.put(Client(**address, timeout=CONNECT_SECONDS))
        except Exception as error:  # any error of the transport: no scheduler answers there
            made.put(str(error).partition("\n")[0] or type(error).__name__)
        # A client that failed closes itself when it is collected. If that happened while another client starts in this
        # process, both would wait for the same lock for ever.
        gc.collect()

    # The timeout of Dask ends neither the wait for a greeting nor attempts to close a connection that never began.
    threading.Thread(target=connect, daemon=True).start()
    try:
        found = made.get(timeout=2 * CONNECT_SECONDS)
    except Empty:
        found = f"no answer within {2 * CONNECT_SECONDS} s"
    if isinstance(found, Client):
        return found
    if named.startswith("tls:") and not Security().get_connection_args("client")["ssl_context"]:
        raise ConfigError(f"--scheduler {shortened(named)}: needs a certificate; name {' and '.join(CERTIFICATES)}")
    raise ConfigError(
        f"--scheduler {shortened(named)}: no scheduler answers ({shortened(found)}); see `stdpnet docs clusters`"
    )


def _memory(memory: str) -> str:
    if memory != "auto":
        try:
            amount = dask.utils.parse_bytes(memory)
        except (ValueError, OverflowError):
            raise ConfigError(f"--memory {memory}: is no amount of memory; write it like 4GB") from None
        if amount < LEAST_MEMORY:
            raise ConfigError(f"--memory {memory}: is too little for a process; give at least {LEAST_MEMORY} bytes")
    return memory


@contextlib.contextmanager
def _no_worker_lost() -> Iterator[None]:
    """Turn what Dask raises when a worker dies before the work has begun into an EngineError."""
    try:
        yield
    except OSError as error:
        raise EngineError(f"a worker is gone ({shortened(error)}); give the command again") from None


def check_code(client: Client) -> None:
    """Raise EngineError if a worker would compute with other code or library versions than this process."""
    with _no_worker_lost():
        digests = client.run(code_digest)
    for worker, digest in digests.items():
        if digest != code_digest():
            raise EngineError(
                f"worker {worker}: has another version of stdpnet, {', '.join(LIBRARIES[:-1])} or {LIBRARIES[-1]}; "
                "install the same ones there, so that results do not depend on where they are computed"
            )


def gathered(client: Client, futures: Sequence[Future[Any]]) -> list[Any]:
    """Return the results of tasks.

    Raises
    ------
    EngineError
        If the scheduler is gone, or a task has lost its worker again and again.
    """
    try:
        results: list[Any] = client.gather(list(futures))
    except (CancelledError, FutureCancelledError, CommClosedError) as error:
        raise EngineError(f"the scheduler is gone ({type(error).__name__}); start another and go on there") from None
    except KilledWorker as error:
        raise EngineError(f"a task has lost its worker {error.allowed_failures + 1} times; is memory short?") from None
    return results


def slots(client: Client) -> int:
    """Return how many tasks the workers can run at a time; 1 while there are none yet.

    Raises
    ------
    EngineError
        If the scheduler is gone.
    """
    try:
        threads: dict[str, int] = client.nthreads()
    except OSError as error:
        raise EngineError(f"the scheduler is gone ({error}); start another and go on there") from None
    return max(1, sum(threads.values()))


def warm_up(client: Client, *specs: Experiment) -> None:
    """Compile the kernels of spiking networks, first those of one network on one worker, for other workers to find."""
    kinds = list({_kind(spec): spec for spec in specs if isinstance(spec, STDPExperiment)}.values())
    for group in (kinds[:1], kinds[1:]):
        gathered(client, [client.submit(_compile, spec, pure=False) for spec in group])


def _kind(spec: STDPExperiment) -> tuple[Any, ...]:
    """Return settings that include all those that decide which kernels are compiled."""
    simulation, topology = spec.simulation, spec.topology
    return (
        simulation.engine,
        simulation.dtype,
        topology.architecture,
        topology.channels,
        spec.competition.is_learned,
        spec.encoder.kind,
    )


def _compile(spec: STDPExperiment) -> None:
    """Show one bright image to the network of a spec, in training and frozen; events need no kernel of their own."""
    images = np.full((1, spec.dataset.crop, spec.dataset.crop), 255, np.uint8)
    kind = "regular" if spec.encoder.kind == "events" else spec.encoder.kind
    spec = spec.updated({"training": {"images": 1, "two_step": 0}, "encoder.kind": kind})
    model, split = open_model(spec), Split(images, np.zeros(1, np.int64), np.zeros(1, np.int64))
    learner = model.learner(spec, split, model.initial(spec), threads=1)
    learner.advance(1)
    model.respond(spec, learner.state, split, Stream.TEST, threads=1)
