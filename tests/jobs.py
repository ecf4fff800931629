"""Small training jobs, and how to stop them."""

import signal
from functools import partial

import stdpnet
from stdpnet.stdp.learner import STDPLearner
from stdpnet.training import StopRequest

QUICK = ["topology.channels=8", "training.images=600", "checkpoint.every=40", "progress.every=50"]
QUICK += ["encoder.max_rate=100.0", "health.action=ignore"]


def spec(*overrides):
    """Return a job of a few seconds on the embedded digits."""
    return stdpnet.load_config("digits", [*QUICK, *overrides])


def in_chunks(size):
    """Return a maker of learners that show so many images together."""
    return partial(STDPLearner, chunk=size)


class StopAt(StopRequest):
    """Asks a job to stop, as a signal does, when it has shown so many images."""

    every = 0

    def __init__(self, images):
        super().__init__()
        self.images = images

    def begin(self, job):
        pass

    def handle(self, job):
        if self.images <= job.state.images < 10:
            self.ask(signal.SIGTERM)
