import pytest

from tests.engines.networks import ENGINES


@pytest.fixture(params=ENGINES)
def engine_keys(request):
    return ENGINES[request.param]
