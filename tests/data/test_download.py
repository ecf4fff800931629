import hashlib
import logging
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stdpnet.data import available, download, fetch, load_dataset
from stdpnet.drafts import new_draft_folder
from stdpnet.spec.dataset import DatasetSpec


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def site(little_mnist, cache, tmp_path, monkeypatch):
    """Serve the little MNIST from 127.0.0.1 as mirror `good`, and other bytes as mirror `bad`."""
    root = tmp_path / "site"
    (root / "bad").mkdir(parents=True)
    little_mnist.rename(root / "good")
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (root / "good").iterdir()}
    for name in files:
        (root / "bad" / name).write_bytes(b"tampered with")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=root))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    logging.getLogger("pooch").setLevel(logging.ERROR)

    def mirrors(*names: str) -> None:
        addresses = tuple(f"http://127.0.0.1:{server.server_port}/{name}/" for name in names)
        monkeypatch.setitem(download.REMOTES, "mnist", download.Remote(addresses, files))

    yield mirrors
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_set_that_is_not_in_stdpnet_data_is_downloaded_into_the_cache(site, cache):
    site("good", "absent")
    assert fetch("mnist") == cache / "mnist"
    assert len(load_dataset(DatasetSpec(name="mnist", calibration=10)).train) == 20


@pytest.mark.parametrize("broken", ["absent", "bad"])
def test_the_second_mirror_serves_where_the_first_fails(site, cache, broken):
    site(broken, "good")
    assert sorted(file.name for file in fetch("mnist").iterdir()) == sorted(download.REMOTES["mnist"].sha256)


def test_what_killed_processes_have_downloaded_of_a_file_is_removed(site, cache):
    killed = new_draft_folder(cache / "mnist" / download.TEST_LABELS)
    (killed / "half").touch()
    killed.rename(killed.with_name(killed.name.replace(f"-{os.getpid()}-", "-999999999-")))
    site("good")
    assert sorted(file.name for file in fetch("mnist").iterdir()) == sorted(download.REMOTES["mnist"].sha256)


def test_the_cache_is_not_downloaded_again(site, cache):
    site("good")
    fetch("mnist")
    site("absent")
    assert fetch("mnist") == cache / "mnist"


def test_a_file_that_no_mirror_gives_is_one_clear_error(site, cache, tmp_path, one_clear_error):
    site("absent", "bad")
    own = tmp_path / "own" / "mnist"
    with one_clear_error(own, cache / "mnist", ".gz of mnist", "checksum differs", "HTTPError", "set STDPNET_DATA"):
        fetch("mnist")
    assert not list((cache / "mnist").iterdir())


def test_a_cache_that_cannot_be_written_is_one_clear_error(site, cache, one_clear_error):
    site("good")
    cache.write_text("a file, not a folder")
    with one_clear_error(cache / "mnist", "set STDPNET_DATA"):
        fetch("mnist")


def test_a_missing_file_in_stdpnet_data_is_one_clear_error(little_mnist, one_clear_error):
    (little_mnist / download.TEST_LABELS).unlink()
    with one_clear_error(little_mnist / download.TEST_LABELS, "missing"):
        fetch("mnist")


def test_a_set_without_files_to_fetch_is_one_clear_error(one_clear_error):
    with one_clear_error("'digits'", "mnist, fashion-mnist"):
        fetch("digits")


def test_the_listing_says_where_the_files_are(little_mnist, cache):
    where = {name: where for name, _, where in available()}
    assert where["mnist"] == str(little_mnist)
    assert where["fashion-mnist"] == "not downloaded"
    assert not cache.exists()
    (little_mnist / download.TEST_LABELS).unlink()
    assert available()[1].where == f"{little_mnist} (incomplete)"


def test_every_file_has_two_mirrors_and_a_checksum():
    for remote in download.REMOTES.values():
        assert len(remote.mirrors) == 2
        assert all(mirror.endswith("/") for mirror in remote.mirrors)
        assert len({len(bytes.fromhex(digest)) for digest in remote.sha256.values()} | {32}) == 1
        assert len(remote.sha256) == 4


def test_the_home_folder_may_be_written_as_a_tilde(little_mnist, monkeypatch):
    monkeypatch.setenv("HOME", str(little_mnist.parent.parent))
    monkeypatch.setenv("STDPNET_DATA", str(Path("~") / little_mnist.parent.name))
    assert fetch("mnist") == little_mnist
