import importlib.metadata
import json

import pytest

from stdpnet import doctor
from stdpnet.stdp import verification
from stdpnet.stdp.verification import Verdict


@pytest.fixture
def verdict(monkeypatch):
    """Set what the comparison of the engines finds."""

    def find(*values):
        monkeypatch.setattr(verification, "verify", lambda *_, **__: Verdict(*values))

    return find


def states(checks):
    return {check.name: check.state for check in checks}


def test_both_engines_agree_on_images_that_they_answer_with_spikes():
    check = doctor._engines()
    assert check.state == "good", check.message
    assert "identical" in check.message


def test_a_sound_installation_leaves_with_0_and_writes_nothing(stdpnet_command, tmp_path, verdict):
    verdict(True, 5, 100, "identical: 100 spikes")
    seen = json.loads(stdpnet_command("doctor", "--json").stdout)
    assert seen["healthy"]
    assert {check["name"] for check in seen["checks"]} >= {"packages", "compiler", "data", "engines", "runs"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("values", [(False, 1, 9, "different at image 0"), (True, 5, 0, "identical: 0 spikes")])
def test_engines_that_differ_or_are_silent_leave_with_1(stdpnet_command, verdict, values):
    verdict(*values)
    assert f"failed   engines: {values[3]}" in stdpnet_command("doctor", code=1).stdout


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(
        importlib.metadata, "requires", lambda _: ["numpy>=2", "nosuch-package>=1; extra == 'x'", "nosuch"]
    )
    assert doctor._versions()[1:] == ("failed", "nosuch: not installed; install stdpnet with pip")


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    check = doctor._writable("cache", tmp_path / "file/below", "choose another")
    assert check.state == "warning"
    assert str(tmp_path / "file/below") in check.message
    assert "choose another" in check.message


def test_a_missing_compiler_is_a_warning(monkeypatch):
    from stdpnet.errors import EngineError
    from stdpnet.stdp.engines.brian import process

    def refuse():
        raise EngineError("simulation.brian2_target: 'cython' needs a C++ compiler")

    monkeypatch.setattr(process, "require_compiler", refuse)
    assert doctor._compiler().state == "warning"
