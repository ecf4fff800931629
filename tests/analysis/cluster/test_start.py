"""Local clusters that do not start, and what their workers print."""

import resource
import warnings
from unittest.mock import MagicMock, Mock

import pytest
from distributed.comm.core import CommClosedError

from stdpnet.errors import EngineError
from stdpnet_analysis.cluster import pool


def test_a_cluster_that_gets_too_few_files_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (40, 40))
    with (
        pytest.raises(EngineError, match=r"about 72 are needed for --workers 3; raise it"),
        pool.pool(workers=3),
    ):
        pass


@pytest.mark.parametrize(
    "error", [AssertionError("Status.starting"), RuntimeError("Nanny failed to start."), OSError(9, "x")]
)
def test_workers_that_do_not_start_are_one_sentence(monkeypatch, error):
    monkeypatch.setattr(pool, "LocalCluster", Mock(side_effect=error))
    with pytest.raises(EngineError, match=r"worker processes of this machine do not start \("), pool.pool(workers=1):
        pass


def test_a_worker_that_dies_before_the_work_begins_is_one_sentence(monkeypatch):
    for lost in ("register_plugin", "run"):
        client = MagicMock(**{f"{lost}.side_effect": CommClosedError("in <TLS>: Stream is closed")})
        monkeypatch.setattr(pool, "LocalCluster", MagicMock())
        monkeypatch.setattr(pool, "Client", Mock(return_value=MagicMock(__enter__=Mock(return_value=client))))
        with pytest.raises(EngineError, match=r"a worker is gone \(in <TLS>: Stream is closed\)"), pool.pool(workers=1):
            pass


def test_a_worker_prints_a_warning_once_and_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(pool, "_SHOWN", set())
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", pool._show_once)
        for _ in range(2):
            warnings.warn("dataset: dark\nink", stacklevel=1)
    assert capsys.readouterr().err == "warning: dataset: dark\\nink\n"
