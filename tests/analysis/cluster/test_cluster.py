import contextlib
import gc
import json
import socket
import threading
import time
import weakref

import distributed
import numpy as np
import pytest

import stdpnet
from stdpnet.data import load_dataset
from stdpnet.encoding import Encoder
from stdpnet.errors import ConfigError, EngineError, RunError, StopRequestedError
from stdpnet.random import Stream
from stdpnet.runs import Run
from stdpnet.stdp.engines.open import make_engine
from stdpnet.stdp.engines.protocol import Recording, Switches
from stdpnet.stdp.network import initial_network
from stdpnet.stdp.respond import respond
from stdpnet.training import resume
from stdpnet_analysis import evaluate
from stdpnet_analysis.cluster import jobs, pool, responses
from stdpnet_analysis.cluster.engine import PositionParallelEngine, check_positions, position_parallel
from stdpnet_analysis.cluster.responses import responder


def checkpoint(run):
    return (run.path / "checkpoint.h5").read_bytes()


def rows(run):
    return [{key: value for key, value in row.items() if key != "images_per_s"} for row in run.rows("progress")]


EXACT = ["competition.rule=anti_stdp", "simulation.dtype=float64", "topology.channels=4"]
EVENTS = ["dataset.name=digits-events", "dataset.crop=24", "encoder.kind=events", "topology.channels=4"]


@pytest.mark.parametrize("overrides", [[], EXACT, EVENTS], ids=["fixed", "learned", "events"])
def test_positions_trained_on_workers_give_the_bytes_of_one_process(client, small, tmp_path, overrides):
    spec = small("progress.every=100", "curve.every=150", "curve.validation=50", "curve.calibration=100", *overrides)
    spread = stdpnet.train(spec, tmp_path / "spread", learner=position_parallel(client, chunk=128))
    alone = stdpnet.train(spec, tmp_path / "alone")
    assert checkpoint(spread) == checkpoint(alone)
    assert rows(spread) == rows(alone)
    assert spread.rows("curve") == alone.rows("curve")


@pytest.mark.parametrize("positions", [[0], [1, 2], [0, 3]])
def test_a_part_of_a_network_answers_as_its_positions_in_the_whole(small, positions):
    spec = small("dataset.crop=16")
    images = load_dataset(spec.dataset).train.images[:20]
    trains = Encoder(spec.encoder, 1.0, 250, 0).encode(images, Stream.TRAIN, np.arange(20))
    whole = initial_network(spec)
    part = whole.part(positions)
    switches = Switches(True, False, True)
    full, partial = make_engine(spec, whole, 1), make_engine(spec, part, 1)
    counts = full.present(trains, switches).counts
    np.testing.assert_array_equal(counts[:, positions], partial.present(trains, switches).counts)
    assert counts[:, positions].sum() > 50
    np.testing.assert_array_equal(full.network.weights[positions], partial.network.weights)
    np.testing.assert_array_equal(full.network.theta[positions], partial.network.theta)
    other = initial_network(spec)
    other.put(partial.network)
    np.testing.assert_array_equal(other.weights[positions], full.network.weights[positions])
    rest = [position for position in range(4) if position not in positions]
    np.testing.assert_array_equal(other.weights[rest], initial_network(spec).weights[rest])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["topology.architecture=convolutional"], "positions share their kernels"),
        (["topology.architecture=fully_connected", "topology.kernel=none"], "one position"),
        (["training.min_spikes=5"], "training.min_spikes: 5 counts the spikes of the whole network"),
    ],
)
def test_networks_whose_positions_are_not_independent_are_refused(small, overrides, message):
    with pytest.raises(ConfigError, match=message):
        check_positions(small(*overrides))


def test_a_convolutional_network_has_no_parts(small):
    with pytest.raises(EngineError, match="shares its kernels"):
        initial_network(small("topology.architecture=convolutional")).part([0])


def test_a_spread_engine_does_not_record(client, small):
    spec = small()
    engine = PositionParallelEngine(spec, initial_network(spec), client)
    with pytest.raises(EngineError, match="records no steps"):
        engine.present(None, None, recording=Recording(*[None] * len(Recording._fields)))


@pytest.mark.parametrize("overrides", [[], ["training.min_spikes=60"], ["topology.architecture=convolutional"]])
def test_responses_in_blocks_are_those_of_one_process(client, small, monkeypatch, overrides):
    monkeypatch.setattr(responses, "BLOCK", 50)
    spec = small(*overrides)
    split, network = load_dataset(spec.dataset).test, initial_network(spec).state()
    shown = []
    spread = responder(client)(spec, network, split, Stream.TEST, progress=shown.append)
    alone = respond(spec, network, split, Stream.TEST)
    np.testing.assert_array_equal(spread.counts, alone.counts)
    assert spread.counts.dtype == alone.counts.dtype
    assert sum(shown) == len(split.labels)
    assert len(shown) == 8


def test_an_evaluation_on_workers_writes_the_scores_of_one_process(client, small, tmp_path):
    run = stdpnet.train(small(), tmp_path / "run")
    spread = evaluate(run, responder=responder(client))
    for cached in (run.path / "responses").iterdir():
        cached.unlink()
    assert evaluate(run) == spread


def test_a_run_is_completed_from_whatever_state_it_is_in(small, tmp_path):
    spec = small("checkpoint.every=100")
    straight = stdpnet.train(spec, tmp_path / "straight")

    class Interrupt:
        every = 200

        def begin(self, job):
            pass

        def handle(self, job):
            raise OSError("pulled out")

    path = tmp_path / "run"
    with pytest.raises(OSError, match="pulled out"):
        jobs.complete(spec, path, observers=[Interrupt()])
    (path / "lock").write_text('{"pid": 1, "host": "a machine that is gone"}')
    run = jobs.complete(spec, path)
    assert checkpoint(run) == checkpoint(straight)
    events = [event["event"] for event in run.events()]
    assert events == ["started", "failed", "resumed", "finished"]
    assert [event["images"] for event in run.events()] == [0, 200, 200, 300]
    assert jobs.complete(spec, path).events() == run.events()
    with pytest.raises(RunError, match="of another experiment, with seed = 0 instead of 5; remove it"):
        jobs.complete(spec.updated({"seed": 5}), path)


def test_a_lock_of_another_host_is_taken_over_only_by_who_knows_that_it_is_dead(small, tmp_path):
    run = stdpnet.train(small("training.images=10"), tmp_path / "run")
    (run.path / "lock").write_text('{"pid": 1, "host": "elsewhere"}')
    with pytest.raises(RunError, match="was left by process 1 on elsewhere"):
        resume(run, 20)
    with pytest.warns(UserWarning, match="process 1 died"):
        resume(run, 20, take_over=True)
    assert Run.open(run.path).images == 20


def test_a_run_that_another_process_writes_is_waited_for(small, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.02)
    spec, path = small("training.images=20"), tmp_path / "run"
    run = stdpnet.train(spec, path)
    written = threading.Event()
    with run.locked():
        waiting = threading.Thread(target=lambda: (jobs.complete(spec, path), written.set()))
        waiting.start()
        assert not written.wait(0.3)
    assert written.wait(30)
    waiting.join()


def test_a_file_stops_a_job_with_a_checkpoint_or_prunes_it(small, tmp_path):
    spec, leave, prune = small(), tmp_path / "leave", tmp_path / "prune"
    stopper = jobs.Stopper(prune, leave)
    leave.touch()
    with pytest.raises(StopRequestedError):
        jobs.complete(spec, tmp_path / "run", observers=[stopper])
    assert Run.open(tmp_path / "run").status == "stopped"
    leave.unlink()
    prune.touch()
    run = jobs.complete(spec, tmp_path / "run", observers=[stopper])
    assert (run.status, run.events()[-1]["reason"], run.images) == ("finished", "pruned", 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": "tcp://a:1", "scheduler_file": "f"}, "leave one out"),
        ({"scheduler": "tcp://a:1", "workers": 3}, "leave --workers out"),
        ({"scheduler_file": "absent.json"}, "absent.json: no such file"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "no scheduler answers"),
        ({"memory": "much"}, "--memory much"),
    ],
)
def test_mistakes_about_the_cluster_are_one_sentence(monkeypatch, options, message):
    monkeypatch.setattr(pool, "CONNECT_SECONDS", 0.3)
    with pytest.raises(ConfigError, match=message), pool.pool(**options):
        pass


def test_workers_with_other_code_are_refused(client, monkeypatch):
    monkeypatch.setattr(pool, "code_digest", lambda: "other")
    monkeypatch.setattr(client, "run", lambda function: {"tcp://w": "their code"})
    with pytest.raises(EngineError, match=r"worker tcp://w: has another version"):
        pool.check_code(client)


def test_a_killed_worker_s_part_of_a_training_is_computed_on_another(loopback, small, tmp_path):
    spec = small("training.images=1500", "progress.every=100")

    class Killer:
        every = 300

        def begin(self, job):
            pass

        def handle(self, job):
            if job.state.images == 300:
                loopback.kill_worker(loopback.workers[0].pid)

    with pool.pool(scheduler_file=loopback.file) as client:
        client.wait_for_workers(2, timeout=120)
        learner = position_parallel(client, chunk=100)
        spread = stdpnet.train(spec, tmp_path / "spread", learner=learner, observers=[Killer()])
        assert len(client.nthreads()) == 1
    assert checkpoint(spread) == checkpoint(stdpnet.train(spec, tmp_path / "alone"))


def test_workers_in_another_network_namespace_give_the_bytes_of_one_process(two_hosts, small, tmp_path):
    with pool.pool(scheduler_file=two_hosts.file) as client:
        client.wait_for_workers(2, timeout=120)
        assert all("10.231.7.2" in address for address in client.nthreads())
        spread = stdpnet.train(small(), tmp_path / "spread", learner=position_parallel(client, chunk=100))
    assert checkpoint(spread) == checkpoint(stdpnet.train(small(), tmp_path / "alone"))


def test_a_lost_scheduler_is_one_sentence_and_the_run_goes_on_elsewhere(loopback, small, tmp_path):
    spec = small("training.images=1500", "checkpoint.every=100")

    class Killer:
        every = 300

        def begin(self, job):
            pass

        def handle(self, job):
            loopback.scheduler.kill()

    with pool.pool(scheduler_file=loopback.file) as client:
        client._timeout = 0.3  # how many seconds it tries to reach a scheduler that is gone, 15 otherwise
        learner = position_parallel(client, chunk=100)
        with pytest.raises(EngineError, match="the scheduler is gone"):
            stdpnet.train(spec, tmp_path / "run", learner=learner, observers=[Killer()])
    run = Run.open(tmp_path / "run")
    assert (run.status, run.images) == ("failed", 300)
    assert checkpoint(resume(run)) == checkpoint(stdpnet.train(spec, tmp_path / "alone"))


def test_a_scheduler_lost_during_an_evaluation_is_one_sentence_and_the_same_call_goes_on(
    loopback, small, tmp_path, monkeypatch
):
    monkeypatch.setattr(responses, "BLOCK", 50)
    run, lost = stdpnet.train(small("training.images=50"), tmp_path / "run"), []

    def answered_before_the_loss(spec, state, split, stream, **options):
        def kill(images):
            lost.append(images)
            loopback.scheduler.kill()

        return responder(client)(spec, state, split, stream, progress=kill)

    with pool.pool(scheduler_file=loopback.file) as client, pytest.raises(EngineError, match="the scheduler is gone"):
        evaluate(run, responder=answered_before_the_loss, baselines=False)
    assert lost[0] == 50
    assert not (run.path / "scores.json").exists()
    assert evaluate(run, baselines=False)["readouts"]


def serve_http(connection):
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("answer", [serve_http, lambda connection: None], ids=["a dashboard", "silence"])
def test_a_port_that_is_no_scheduler_s_is_one_sentence_in_bounded_time(monkeypatch, answer):
    monkeypatch.setattr(pool, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        held = []  # so that no connection is closed

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])
                    answer(held[-1])

        threading.Thread(target=serve, daemon=True).start()
        begin = time.monotonic()
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}: no scheduler answers"):
            pool.pool(f"tcp://127.0.0.1:{port}").__enter__()
        assert time.monotonic() - begin < 20
        assert held, "the port was asked"


def test_a_client_that_failed_is_closed_before_another_one_starts(monkeypatch):
    began, alive = [], weakref.WeakSet()

    class Noted(distributed.Client):
        def __init__(self, *arguments, **options):
            began.append(True)
            alive.add(self)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(pool, "Client", Noted)
    monkeypatch.setattr(pool, "CONNECT_SECONDS", 0.3)
    gc.disable()  # only the pool itself collects
    try:
        with pytest.raises(ConfigError, match="no scheduler answers"):
            pool.pool("tcp://127.0.0.1:1").__enter__()
        end = time.monotonic() + 30
        while alive and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        gc.enable()
    assert began
    assert not alive


@pytest.mark.parametrize("address", ["http://127.0.0.1:8787", "ucx://127.0.0.1:9", "tcp://", "tcp://127.0.0.1:x", ""])
def test_an_address_that_is_none_is_one_sentence(monkeypatch, address):
    monkeypatch.setattr(pool, "CONNECT_SECONDS", 0.3)
    with pytest.raises(ConfigError, match=r"no scheduler answers"), pool.pool(address):
        pass


def test_commands_use_a_running_scheduler(loopback, stdpnet_command, small, tmp_path):
    there, folder = ["--scheduler-file", str(loopback.file)], tmp_path / "runs"
    sets = ["--set", "training.images=200", "--set", "topology.channels=8", "--set", "dataset.validation=100"]
    stdpnet_command("train", "digits", "--run", "spread", *sets, *there)
    stdpnet_command("resume", "spread", "--images", "300", *there)
    spread = json.loads(stdpnet_command("evaluate", "spread", "--json", "--no-baselines", *there).stdout)
    alone = stdpnet.train(small(), tmp_path / "alone")
    assert checkpoint(Run.open(folder / "spread")) == checkpoint(alone)
    assert spread["readouts"] == evaluate(alone, baselines=False)["readouts"]
    csnn = ["--set", "topology.architecture=convolutional"]
    refused = stdpnet_command("train", "digits", "--run", "csnn", *csnn, *there, code=2)
    assert "leave --scheduler out" in refused.stderr
    assert not (folder / "csnn").exists()


@pytest.mark.parametrize("content", ["", "{}", "[]", "5", "null", '{"address": null}'])
def test_a_scheduler_file_of_another_content_is_one_sentence(tmp_path, content):
    path = tmp_path / "scheduler.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"--scheduler-file .*scheduler\.json: damaged"), pool.pool(None, path):
        pass


@pytest.mark.parametrize("memory", ["1B", "-1GB", "much"])
def test_a_memory_limit_that_no_process_can_keep_is_refused(memory):
    with pytest.raises(ConfigError, match=f"--memory {memory}: "), pool.pool(memory=memory):
        pass
