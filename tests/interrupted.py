"""Trainings that real interrupts (SIGINT) stop, and that go on; tests/test_interrupt.py runs this as a process."""

import json
import os
import signal
import threading
import time

import stdpnet
from stdpnet import StopRequestedError

SPEC = stdpnet.load_config(
    "digits",
    {
        "topology.channels": 8,
        "training.images": 900,
        "encoder.max_rate": 100.0,
        "simulation.duration": 100.0,
        "progress.every": 300,
        "health.action": "ignore",
    },
)
IMAGES = stdpnet.load_dataset(SPEC.dataset).train.images


class Interrupt:
    """An observer that interrupts its process from the training's thread, once, so many times in a row."""

    every = 0

    def __init__(self, times, at=0):
        self.times, self.at = times, at

    def begin(self, training):
        pass

    def handle(self, training):
        if self.times and training.images >= self.at:
            burst = threading.Thread(target=self.burst)
            burst.start()
            burst.join()
            time.sleep(0.2)  # the main thread answers all of them while the training is at work

    def burst(self):
        while self.times:
            self.times -= 1
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.001 if self.times % 3 else 0)


def stopped(work):
    """Return the error that says that work was stopped."""
    try:
        work()
    except StopRequestedError as error:
        return error
    raise AssertionError("was not stopped")


def fit_interrupted(times):
    """Fit in three parts, each but the last interrupted; return where it was, and the digest at the end."""
    error, at = None, []
    for _ in range(2):
        state = error.state if error else None
        error = stopped(lambda state=state: stdpnet.fit(SPEC, IMAGES, state=state, observers=[Interrupt(times)]))
        at.append(error.state.images)
    return {"at": at, "signal": error.signal.name, "digest": stdpnet.fit(SPEC, IMAGES, state=error.state).digest()}


def train_interrupted(times):
    """Train in three parts, each but the last interrupted; return where it was, and the digest at the end."""
    path = f"run-{times}"
    stopped(lambda: stdpnet.train(SPEC, path, observers=[Interrupt(times)]))
    run = stdpnet.Run.open(path)
    at = [run.load_state().images]
    stopped(lambda: stdpnet.resume(run, observers=[Interrupt(times)]))
    at.append(run.load_state().images)
    stdpnet.resume(run)
    events = [event["event"] for event in run.events()]
    return {"at": at, "events": events, "digest": run.load_state().digest(), "complete": run.complete}


def too_late():
    """Interrupt the last images of a fit: the state is complete, and the interrupt is not lost."""
    error = stopped(lambda: stdpnet.fit(SPEC, IMAGES, observers=[Interrupt(1, at=900)]))
    return {"at": [error.state.images], "digest": error.state.digest()}


print(
    json.dumps(
        {
            "straight": stdpnet.fit(SPEC, IMAGES).digest(),
            "fit": [fit_interrupted(times) for times in (1, 2, 60)],
            "train": [train_interrupted(times) for times in (1, 2, 60)],
            "too late": too_late(),
            "threads left": [t.name for t in threading.enumerate() if t.name == "stdpnet-training"],
        }
    )
)
