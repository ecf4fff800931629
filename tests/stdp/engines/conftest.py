import pytest

from tests.stdp.engines.networks import ENGINES


@pytest.fixture(params=("numba", "brian2-numpy"))
def engine_keys(request):
    """The compiled engine and the reference, on the target that compiles nothing; test_brian compares its targets."""
    return ENGINES[request.param]
