"""Run other simulators on the same network and the same input spikes in the same run.

Each simulator has a script here that does not import stdpnet and runs in an interpreter of its own. Their dependencies
may therefore conflict with each other, and their threads and global state stay in their own process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from stdpnet.errors import ConfigError, EngineError
from stdpnet.stdp.engines.derive import constants
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.benchmark.workload import Workload

MODULES = {"bindsnet": "bindsnet", "annarchy": "ANNarchy"}
"""The module that a simulator's interpreter must have, by the name of the simulator."""


class Peer(NamedTuple):
    """A simulator, and the Python interpreter that has it."""

    name: str
    python: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the peer that an option such as `bindsnet` or `bindsnet=/path/to/python` names.

        Raises
        ------
        ConfigError
            If there is no such simulator, interpreter, or simulator in the interpreter.
        """
        name, equals, python = text.partition("=")
        if name not in MODULES:
            raise ConfigError(f"--peer {text}: '{name}' is unknown; choose from {', '.join(MODULES)}")
        peer = cls(name, python if equals else sys.executable)
        look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({MODULES[name]!r}) is None)"
        try:
            found = subprocess.run([peer.python, "-c", look], capture_output=True, check=False)
        except OSError as error:
            raise ConfigError(
                f"--peer {text}: {peer.python!r} cannot be run ({error.strerror}); give the path of a Python"
            ) from None
        if found.returncode:
            raise ConfigError(
                f"--peer {text}: {MODULES[name]} is not installed in {peer.python}; `{peer.python} -m pip install "
                f"{MODULES[name]}`, or name an interpreter that has it: --peer {name}=/path/to/python"
            )
        return peer


def check_comparable(spec: STDPExperiment) -> None:
    """Raise ConfigError unless the scripts of the peers can simulate the spec's network."""
    if spec.topology.architecture == "convolutional" or spec.competition.is_learned or spec.plasticity.half_life:
        raise ConfigError(
            "--peer: other simulators are compared with locally or fully connected networks, fixed competition and "
            f"plasticity.half_life = 0 only, not with {spec.topology.label}; choose another CONFIG"
        )
    if spec.plasticity.traces != "nearest":
        raise ConfigError("--peer: other simulators are compared with plasticity.traces = 'nearest' only; set it")


def run_peer(peer: Peer, work: Workload, images: int) -> dict[str, Any]:
    """Return what a simulator's script measured on the workload's network and images.

    Returns
    -------
    A dictionary with `version`, `train_images_per_s`, `inference_images_per_s` and `spikes_per_image`, and
    `expected_spikes_per_image`, those of the compiled engine.
    """
    work.restore()
    trains = work.encode(images)
    expected = work.present(trains).counts
    with tempfile.TemporaryDirectory(prefix="stdpnet-") as folder:
        problem = Path(folder) / "problem.npz"
        network = work.network
        np.savez(
            problem,
            weights=network.weights,
            theta=network.theta,
            windows=network.geometry.receptive_field_rows(),
            pixels=trains.pixels,
            offsets=trains.offsets,
            numbers=json.dumps(_numbers(work)),
        )
        measured = _call(peer, problem, work.threads)
    return {**measured, "images": images, "expected_spikes_per_image": int(expected.sum()) / images}


def _numbers(work: Workload) -> dict[str, float]:
    """Return the parameters of the network: mV, ms."""
    spec, neuron, xy = work.spec, work.spec.neuron, work.spec.plasticity
    numbers = constants(spec, np.dtype(np.float64))
    return {
        **neuron.model_dump(include={"v_rest", "v_reset", "v_thresh", "tau_v", "theta_plus", "tau_theta"}),
        **xy.model_dump(include={"A_plus", "A_minus", "tau_plus", "tau_minus", "w_min", "w_max"}),
        "refractory_steps": numbers.neuron.refractory_steps,
        "norm": numbers.norm,
        "relaxation": numbers.relaxation,
        "c_w": spec.competition.fixed_weight,
        "dt": spec.simulation.dt,
    }


def _call(peer: Peer, problem: Path, threads: int) -> dict[str, Any]:
    """Run a script, and return the JSON object in the last line that it prints."""
    script = Path(__file__).with_name("runner.py")
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    tools = os.pathsep.join([str(Path(peer.python).parent), os.environ.get("PATH", os.defpath)])  # ANNarchy needs cmake
    done = subprocess.run(
        [peer.python, str(script), peer.name, str(problem), str(threads)],
        cwd=problem.parent,
        env={**os.environ, **limits, "PATH": tools},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    try:
        if done.returncode == 0:
            measured: dict[str, Any] = json.loads(lines[-1])
            return measured
    except (IndexError, json.JSONDecodeError):
        pass
    last = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
    raise EngineError(f"--peer {peer.name}: {peer.python} {script} failed with code {done.returncode}; it says: {last}")
