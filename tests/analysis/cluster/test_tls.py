"""Who may use the processes of a cluster: those who hold its key, and no other user of the machine."""

import asyncio
import os

import dask.config
import pytest
from distributed import comm
from distributed.security import Security

from stdpnet.errors import ConfigError
from stdpnet_analysis.cluster.pool import pool
from tests.analysis.loopback import Loopback
from tests.processes import completed
from tests.strangers import NOBODY, require_shared_libraries

STRANGER = """
import asyncio, contextlib, os, sys
from distributed import comm
if os.geteuid() == 0:
    os.setuid(65534)
for address in sys.argv[1:]:
    with contextlib.suppress(OSError):
        asyncio.run(comm.connect(address, timeout=5))
        print("let in at", address)
print("tried as", os.geteuid())
"""


def addresses(client):
    """Return the addresses of a cluster's scheduler and workers."""
    return [client.scheduler.address, *client.nthreads()]


def test_another_user_is_refused_by_every_process_of_a_local_cluster(client, tmp_path):
    require_shared_libraries()
    script = tmp_path / "stranger.py"
    script.write_text(STRANGER)
    plainly = [address.replace("tls:", "tcp:") for address in addresses(client)]
    done = completed([script, *plainly], tmp_path)
    assert done.stdout == f"tried as {os.geteuid() or NOBODY}\n", done.stderr


def test_a_key_of_somebody_else_opens_no_process_of_a_local_cluster(client):
    for address in addresses(client):
        assert address.startswith("tls://127.0.0.1:")
        with pytest.raises(OSError, match="certificate does not match"):
            asyncio.run(comm.connect(address, timeout=5, **Security.temporary().get_connection_args("client")))


@pytest.fixture
def encrypted(tmp_path):
    """Return a cluster with TLS, and the variables that let a client in."""
    made = Security.temporary()
    contents = {"ca.pem": made.tls_ca_file, "cert.pem": made.tls_client_cert, "key.pem": made.tls_client_key}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    files = [str(tmp_path / name) for name in contents]
    cluster = Loopback(tmp_path, tls=files)
    names = ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")
    yield cluster, {f"DASK_DISTRIBUTED__COMM__TLS__{name}": file for name, file in zip(names, files, strict=True)}
    cluster.close()


def test_a_scheduler_with_tls_lets_in_who_has_a_certificate_and_tells_others_what_they_need(encrypted):
    cluster, variables = encrypted
    needed = r"tls://.*needs a certificate; name .*TLS__CA_FILE .*TLS__CLIENT__CERT"
    with pytest.raises(ConfigError, match=needed), pool(scheduler_file=cluster.file):
        pass
    settings = dask.config.collect_env(variables)["distributed"]["comm"]["tls"]
    with (
        dask.config.set({f"distributed.comm.tls.{key}": value for key, value in settings.items()}),
        pool(scheduler_file=cluster.file) as client,
    ):
        assert client.scheduler.address.startswith("tls://")
        assert client.submit(os.getpid).result() in {worker.pid for worker in cluster.workers}
