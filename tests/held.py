"""An observer that lets trainings of other processes stand still, so that signals surely reach them at work.

The fixture `held` of tests/conftest.py installs it as a plug-in.
"""

import os
import time

FILE = "STDPNET_TESTS_HELD"
"""Environment variable: the path of a file."""


class Held:
    """Waits, once a training has written a checkpoint, for as long as a file exists."""

    every = 0

    def begin(self, training):
        self.begun_at = training.images

    def handle(self, training):
        run = training.run
        while run.has_state and run.images > self.begun_at and os.path.exists(os.environ[FILE]):
            time.sleep(0.01)


def observer(spec, dataset):
    """Return the observer of a training."""
    return Held()
