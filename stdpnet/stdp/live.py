"""Return a network as a live Brian2 network, to which users add monitors and experiments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stdpnet.errors import ConfigError, DataError
from stdpnet.events import RECORDING, Events
from stdpnet.model import State
from stdpnet.random import Stream
from stdpnet.stdp.encoder import encoder_of
from stdpnet.stdp.engines.protocol import FROZEN, Switches
from stdpnet.stdp.network import Network, fitting_network
from stdpnet.stdp.spec.experiment import STDPExperiment


def to_brian2(
    spec: STDPExperiment,
    network: Network | State,
    images: NDArray[np.uint8] | Events | None = None,
    *,
    learn: bool = False,
    stream: Stream = Stream.TEST,
) -> Any:
    """Return a network as a live brian2.Network: add monitors to it, and run it.

    Its groups and synapses are found by name, `live["Y"]`: X, the input spikes; XT, their traces; Y, the neurons, with
    the variables v, I, theta, count and the traces; XY, the feedforward synapses, with w (in W where positions share
    them); YY, learned competition, with c. Voltages are plain numbers in mV (docs/model.md, Brian2 and the compiled
    engine). Presentation i is image i; each begins at rest and ends as in the training, the last one when the network
    is run for longer than all of them. After that it continues from rest, without input unless `live["X"]` is given
    spikes.

    Brian2's preferences are left as the user has set them: with the numpy target, or without -ffast-math, the spikes
    are those of `respond` to the last bit. Images that are answered weakly are not shown again.

    Parameters
    ----------
    spec : the experiment
    network : its state, as returned by `fit`, Run.load_state() or `make_engine(...).network`; it is copied
    images : (N, n, n) uint8, or recordings (stdpnet.Events) where encoder.kind = events, to be shown one after the
        other; default one black image, or a recording without events
    learn : whether weights, thresholds and competition change, at the full learning rate
    stream : source of the input spikes' random numbers; image i is presentation number i of it

    Raises
    ------
    ConfigError
        If the spec is of another model, or the state does not fit it.
    DataError
        If the images are not squares of the side of the spec's images, or not what its encoder takes.

    Examples
    --------
    >>> import brian2
    >>> import stdpnet
    >>> spec = stdpnet.load_config("digits", {"topology.channels": 4, "training.images": 20})
    >>> images = stdpnet.load_dataset(spec.dataset).train.images
    >>> live = stdpnet.to_brian2(spec, stdpnet.fit(spec, images, progress=False), images[:2])
    >>> spikes = brian2.SpikeMonitor(live["Y"])
    >>> live.add(spikes)
    >>> len(live["Y"])  # live.run(2 * spec.simulation.duration * brian2.ms) shows both images
    36
    """
    from stdpnet.stdp.engines.brian.engine import BrianEngine  # takes a second to import

    if not isinstance(spec, STDPExperiment):
        raise ConfigError(f"spec: is a {type(spec).__name__}; only spiking networks of this package have a Brian2 form")
    shown = _as_shown(spec, images)
    trains = encoder_of(spec).encode(shown, stream, np.arange(len(shown)))
    switches = Switches(learn_xy=True, learn_yy=True, adapt_theta=True) if learn else FROZEN
    return BrianEngine(spec, _in_double(spec, network)).live(trains, switches)


def _as_shown(spec: STDPExperiment, images: NDArray[np.uint8] | Events | None) -> NDArray[np.uint8] | Events:
    """Return what is to be shown (N, n, n), one black image for None; DataError if it does not fit the network."""
    side = spec.geometry.side
    if images is None:
        if spec.encoder.kind == "events":
            return Events.of([np.empty(0, RECORDING)], (side, side))
        return np.zeros((1, side, side), np.uint8)
    shown = images if isinstance(images, Events) else np.asarray(images)
    kind = "recordings" if isinstance(shown, Events) else str(shown.dtype)
    if kind not in ("recordings", "uint8") or shown.shape[1:] != (side, side) or len(shown) == 0:
        raise DataError(f"images: are {kind} {shown.shape}; give uint8 (N, {side}, {side}), as spec.dataset has them")
    return shown


def _in_double(spec: STDPExperiment, network: Network | State) -> Network:
    """Return a copy in float64, as Brian2 computes; ConfigError if its shapes are not those of the spec."""
    arrays = fitting_network(spec, network).arrays()
    return Network(spec.geometry, **{name: array.astype(np.float64) for name, array in arrays.items()})
