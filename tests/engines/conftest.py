import pytest

from tests.engines.networks import ENGINES


@pytest.fixture(params=("numba", "brian2-numpy"))
def engine_keys(request):
    """The compiled engine and the reference, which compiles nothing and is quick to begin."""
    return ENGINES[request.param]


@pytest.fixture(params=ENGINES)
def every_engine(request):
    """Both engines and both targets of Brian2, for the tests in which everything happens."""
    return ENGINES[request.param]
