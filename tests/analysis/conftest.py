import os
import shutil
import subprocess

import numpy as np
import pytest
from sklearn.datasets import load_digits

import stdpnet
from tests.analysis.loopback import Loopback

SMALL = ["training.images=300", "topology.channels=8", "dataset.validation=100"]


@pytest.fixture(scope="session")
def client():
    """Two processes on this machine."""
    from stdpnet_analysis.cluster.pool import pool

    with pool(workers=2) as opened:
        yield opened


@pytest.fixture
def small():
    return lambda *overrides: stdpnet.load_config("digits", [*SMALL, *overrides])


@pytest.fixture(scope="session")
def drawn_digits():
    X, y = load_digits(return_X_y=True)
    return np.random.default_rng(0).poisson(X).astype(np.uint16), y


@pytest.fixture
def digits(drawn_digits):
    """Return Poisson counts (1797, 64) with scikit-learn's digits as means (some always 0), and their labels."""
    X, y = drawn_digits
    return X.copy(), y.copy()


@pytest.fixture
def loopback(tmp_path):
    cluster = Loopback(tmp_path)
    yield cluster
    cluster.close()


@pytest.fixture
def two_hosts(tmp_path):
    """A cluster whose workers live in a network namespace of their own, as on another machine."""
    name, here, there = f"stdpnet-{os.getpid()}", "10.231.7.1", "10.231.7.2"
    inside, link = ("ip", "netns", "exec", name), f"v{os.getpid()}"[:12]
    if shutil.which("ip") is None or os.geteuid() != 0 or subprocess.run(("ip", "netns", "add", name)).returncode:
        pytest.skip("network namespaces need root and iproute2")
    try:
        for words in (
            f"ip link add {link}a type veth peer name {link}b",
            f"ip link set {link}b netns {name}",
            f"ip addr add {here}/30 dev {link}a",
            f"ip link set {link}a up",
            f"ip netns exec {name} ip addr add {there}/30 dev {link}b",
            f"ip netns exec {name} ip link set {link}b up",
            f"ip netns exec {name} ip link set lo up",
        ):
            subprocess.run(words.split(), check=True)
        cluster = Loopback(tmp_path, here, there, inside)
        yield cluster
        cluster.close()
    finally:
        subprocess.run(("ip", "netns", "delete", name), check=False)
