"""Export a trained network for other software: its arrays as .npz, its spikes as SONATA, the network itself as NIR."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from stdpnet.data import load_dataset
from stdpnet.errors import ConfigError
from stdpnet.extras import require
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet.runs.files import write_bytes
from stdpnet.spec.load import dump_config
from stdpnet.stdp.network import network_of
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet_analysis.nir_graph import Part, parts, to_nir
from stdpnet_analysis.progress import SILENT, Progress
from stdpnet_analysis.recording import record

SONATA_MAGIC = 0x0A7A
"""Number by which SONATA files are recognised."""
SONATA_VERSION = (0, 1)
BY_TIME = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="uint8")
"""Type of the attribute `sorting` of SONATA files."""
REMEDY = "export again"


def export_npz(run: Run, path: Path, snapshot: str = "last") -> dict[str, tuple[int, ...]]:
    """Write the arrays of a trained state to a new .npz file; return their shapes.

    Beside the state's arrays (for STDP: weights (P, k*k, C), theta (P, C) and competition, mV) it has `config`, the
    configuration as TOML text, and of a spiking network `pixels` (P, k*k), the pixel that each weight comes from.

    Raises
    ------
    RunError
        If the run has no such state.
    """
    arrays: dict[str, Any] = dict(run.load_snapshot(snapshot).arrays)
    if isinstance(run.spec, STDPExperiment):
        rows = run.spec.geometry.receptive_field_rows()
        arrays["pixels"] = np.nonzero(rows >= 0)[1].reshape(len(rows), -1)
    arrays["config"] = np.array(dump_config(run.spec))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_bytes(path, buffer.getbuffer(), REMEDY)
    return {name: np.shape(array) for name, array in arrays.items()}


def export_sonata(
    run: Run,
    path: Path,
    images: int,
    *,
    snapshot: str = "last",
    threads: int | None = None,
    progress: Progress = SILENT,
) -> dict[str, int]:
    """Write input spikes and answers of a frozen network to the first test images as a new SONATA spike file.

    The format is that of Dai et al. 2020 (doi 10.1371/journal.pcbi.1007696): /spikes/<population>/timestamps in
    milliseconds and node_ids, sorted by time. Populations are `input`, whose nodes are the pixels, row by row, and
    `neurons`, whose nodes are position * C + channel. Image i lasts from i * simulation.duration on; a spike of step k
    (from 0) has the time k * dt after that.

    Returns
    -------
    The number of spikes of each population.

    Raises
    ------
    ConfigError
        If the run is of another model, or the test set has fewer images.
    """
    spec = run.spec
    if not isinstance(spec, STDPExperiment):
        raise ConfigError(f"{run.path}: its model, {spec.model}, has no spike times to export; use a file .npz")
    split = load_dataset(spec.dataset).test
    if not 1 <= images <= len(split):
        raise ConfigError(f"--images {images}: the run's dataset has {len(split)} test images; choose at most as many")
    network = network_of(spec, run.load_snapshot(snapshot))
    progress.stage("recording", images)
    spikes: dict[str, list[tuple[Any, Any]]] = {"input": [], "neurons": []}
    for number in range(images):
        shown = record(spec, network, split, number, Stream.TEST, threads=threads)
        begin = number * spec.simulation.duration
        steps, neurons = np.nonzero(shown.spikes.reshape(len(shown.spikes), -1))
        spikes["input"].append((begin + shown.input_steps * shown.dt, shown.input_pixels))
        spikes["neurons"].append((begin + steps * shown.dt, neurons))
        progress.advance(1)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["magic"], file.attrs["version"] = np.uint32(SONATA_MAGIC), np.array(SONATA_VERSION, np.uint32)
        for name, parts in spikes.items():
            group = file.create_group(f"spikes/{name}")
            group.attrs.create("sorting", 2, dtype=BY_TIME)
            times = group.create_dataset("timestamps", data=np.concatenate([part for part, _ in parts]).astype(float))
            times.attrs["units"] = "milliseconds"
            group.create_dataset("node_ids", data=np.concatenate([part for _, part in parts]).astype(np.uint64))
    write_bytes(path, buffer.getbuffer(), REMEDY)
    return {name: sum(len(times) for times, _ in parts) for name, parts in spikes.items()}


def export_nir(run: Run, path: Path, snapshot: str = "last") -> dict[str, Part]:
    """Write a frozen network as a graph of the Neuromorphic Intermediate Representation to a new file (see to_nir).

    Returns
    -------
    Each part of the model with its label in the graph: faithful, approximate or unsupported, and why.

    Raises
    ------
    ConfigError
        If the run is of another model.
    ExtraError
        If the extra "nir" is not installed.
    RunError
        If the run has no such state.
    """
    require("nir")
    import nir

    if not isinstance(run.spec, STDPExperiment):
        raise ConfigError(f"{run.path}: its model, {run.spec.model}, has no NIR form; use a file .npz")
    graph = to_nir(run.spec, run.load_snapshot(snapshot))
    buffer = io.BytesIO()
    nir.write(buffer, graph)
    write_bytes(path, buffer.getbuffer(), REMEDY)
    return parts(run.spec)
