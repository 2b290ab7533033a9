"""The server's process: started, stopped, killed, refused."""

import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.errors import WarehouseAway
from connectors.warehouse.client import WarehouseClient
from infra.local.clickhouse.node import LocalClickHouse
from infra.local.errors import DataInUse, EngineFailed, ForeignData, PortTaken, StorageUnusable
from infra.local.ports import free_port
from infra.local.process import birth_of
from infra.local.server import LocalServer
from tests.whole.topics import PATIENCE_S

pytestmark = pytest.mark.clickhouse

TABLE = """CREATE TABLE IF NOT EXISTS kept (x UInt64)
ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 100"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With the signs that a URL and a glob would take for something else."""
    return tmp_path / "evcs home é?{a}*"


@contextmanager
def killed_at_the_end(server: LocalServer) -> Iterator[None]:
    try:
        yield
    finally:
        server.kill()


@contextmanager
def client_of(server: LocalClickHouse) -> Iterator[WarehouseClient]:
    """With the table `kept`."""
    client = WarehouseClient(server.warehouse("mine"))
    maker = WarehouseClient(server.warehouse("mine"), in_database=False)
    try:
        maker.run("CREATE DATABASE IF NOT EXISTS mine")
        client.run(TABLE)
        yield client
    finally:
        maker.close()
        client.close()


def test_rows_outlive_a_stop_and_a_kill(home: Path) -> None:
    told: list[str] = []
    server = LocalClickHouse(home, 0, die_with_parent=True)
    with killed_at_the_end(server):
        assert server.start(told.append)
        assert [line.split()[0] for line in told] == ["starting"]
        first_pid, port = server.pid, server.port
        assert not server.start(), "a running server is not started again"
        assert LocalClickHouse(home).pid == first_pid
        assert LocalClickHouse(home).url == server.url == f"http://127.0.0.1:{port}"
        assert stat.S_IMODE(server.files.password.stat().st_mode) == 0o600
        password = server.warehouse().password

        with client_of(server) as client:
            client.insert("INSERT INTO kept FORMAT CSV", b"1\n", token="a")
        assert server.stop(PATIENCE_S)
        assert server.pid is None
        assert not server.stop(), "a stopped server is not stopped again"

        assert server.start()
        assert (server.port, server.warehouse().password) == (port, password)
        with client_of(server) as client:
            client.insert("INSERT INTO kept FORMAT CSV", b"2\n", token="b")
            assert server.kill()
            assert server.pid is None
            with pytest.raises(WarehouseAway, match="evcs local up"):
                client.rows("SELECT 1")
            with server:
                client.insert("INSERT INTO kept FORMAT CSV", b"2\n", token="b")
                assert client.rows("SELECT x FROM kept ORDER BY x") == [(1,), (2,)]
        assert server.pid is None


def test_killed_again_and_again_in_the_middle_of_inserts_it_loses_and_doubles_nothing(home: Path) -> None:
    server = LocalClickHouse(home, 0, die_with_parent=True)
    with killed_at_the_end(server):
        server.start()
        with client_of(server) as client:
            done, ending = 0, threading.Event()

            def insert() -> None:
                """Batches of 1,000, each repeated with its token until it is confirmed, as the sink does."""
                nonlocal done
                while not ending.is_set():
                    block = b"".join(b"%d\n" % x for x in range(done * 1000, done * 1000 + 1000))
                    try:
                        client.insert("INSERT INTO kept FORMAT CSV", block, token=f"batch-{done}")
                        done += 1
                    except WarehouseAway:
                        time.sleep(0.05)

            inserting = threading.Thread(target=insert)
            inserting.start()
            for _ in range(3):
                before, deadline = done, time.monotonic() + PATIENCE_S
                while done < before + 5:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                server.kill()
                server.start()
            ending.set()
            inserting.join(PATIENCE_S)
            assert client.rows("SELECT count(), uniqExact(x), max(x) FROM kept") == [
                (done * 1000, done * 1000, done * 1000 - 1)
            ]


def test_a_block_that_a_kill_kept_from_its_table_is_taken_when_it_comes_again(home: Path) -> None:
    server = LocalClickHouse(home, 0, die_with_parent=True)
    with killed_at_the_end(server):
        server.start()
        with client_of(server) as client:
            for token in "abc":
                client.insert("INSERT INTO kept FORMAT CSV", token.encode().hex().encode() + b"\n", token=token)
        server.kill()
        # As a kill leaves it between the token's line and the part's name.
        [log] = server.files.data.glob("store/*/*/deduplication_logs/deduplication_log_1.txt")
        [part] = [line.split(b"\t")[1] for line in log.read_bytes().splitlines()[1:2]]
        shutil.rmtree(log.parent.parent / part.decode())
        server.start()
        with client_of(server) as client:
            assert client.rows("SELECT x FROM kept ORDER BY x") == [(61,), (63,)]
            for token in "abc":
                client.insert("INSERT INTO kept FORMAT CSV", token.encode().hex().encode() + b"\n", token=token)
            assert client.rows("SELECT x FROM kept ORDER BY x") == [(61,), (62,), (63,)]


def test_a_taken_port_is_told_before_anything_is_started(home: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        server = LocalClickHouse(home, port)
        with pytest.raises(PortTaken, match=f"port {port} is taken: choose another with EVCS_CLICKHOUSE_PORT "):
            server.start()
    assert not server.files.process.exists()


def test_a_port_that_is_taken_in_the_meantime_is_told_by_the_process(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr("infra.local.server.require_free", lambda *_: None)
        server = LocalClickHouse(home, port)
        with killed_at_the_end(server), pytest.raises(PortTaken):
            server.start()
    assert server.pid is None


def test_a_second_process_is_kept_from_the_data(home: Path) -> None:
    server = LocalClickHouse(home, 0, die_with_parent=True)
    with killed_at_the_end(server), server:
        pid = server.pid
        # By hand, past the pid file.
        second = subprocess.run(
            [sys.executable, "-P", "-m", "infra.local.clickhouse", str(home), str(free_port())],
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert second.returncode == 1
        assert f"is in use by another process (pid {pid})" in server.files.server_log.read_text()
        server.files.process.unlink()
        with pytest.raises(DataInUse, match=rf"pid {pid}.*EVCS_HOME"):
            server.start()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


def test_a_lock_without_a_name_is_told_as_well(home: Path) -> None:
    server = LocalClickHouse(home, 0)
    server.files.root.mkdir(parents=True)
    with server.files.data_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DataInUse, match="unknown"):
            server.start()


def test_data_of_a_newer_version_is_left_alone(home: Path) -> None:
    server = LocalClickHouse(home, 0)
    server.files.root.mkdir(parents=True)
    server.files.written_by.write_text("99.1.0\n")
    with pytest.raises(ForeignData, match=r"chDB 99\.1\.0, which is newer"):
        server.start()
    assert not server.files.process.exists()


def test_data_that_the_engine_can_not_open_shows_what_it_says(home: Path) -> None:
    server = LocalClickHouse(home, 0)
    server.files.data.mkdir(parents=True)
    (server.files.data / "status").mkdir()
    with killed_at_the_end(server), pytest.raises(EngineFailed, match="ended while starting") as caught:
        server.start()
    assert any("chDB can't open its data, which may be mended" in line for line in caught.value.tail)
    assert server.pid is None


def test_a_home_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnusable, match=r"can't be written.*EVCS_HOME"):
        LocalClickHouse(tmp_path / "file", 0).start()


def test_a_full_disk_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalClickHouse, "min_free_bytes", 2**62)
    with pytest.raises(StorageUnusable, match=r"full: .* ClickHouse wants"):
        LocalClickHouse(home, 0).start()


def test_a_server_that_does_not_answer_in_time_is_ended(home: Path) -> None:
    server = LocalClickHouse(home, 0)
    with killed_at_the_end(server), pytest.raises(EngineFailed, match=r"did not answer within 0\.01 s"):
        server.start(ready_timeout_s=0.01)
    assert server.pid is None
    assert not server.files.process.exists()


def test_a_bound_server_dies_with_a_parent_that_is_killed(home: Path) -> None:
    script = """
        import pathlib, sys
        from infra.local.clickhouse.node import LocalClickHouse
        server = LocalClickHouse(pathlib.Path(sys.argv[1]), 0, die_with_parent=True)
        server.start()
        print(server.pid, flush=True)
        input()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(home)]
    server = LocalClickHouse(home)
    with killed_at_the_end(server):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert server.pid == pid
            os.kill(parent.pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        while birth_of(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert birth_of(pid) is None


def test_what_runs_while_it_is_told_to_end_is_answered(home: Path) -> None:
    server = LocalClickHouse(home, 0, die_with_parent=True)
    with killed_at_the_end(server), server, client_of(server) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.rows, "SELECT sleep(2)")
        time.sleep(0.5)
        assert not slow.done()
        assert server.stop()
        assert slow.result(PATIENCE_S) == [(0,)]


def test_it_listens_on_this_machine_only(home: Path) -> None:
    server = LocalClickHouse(home, 0, die_with_parent=True)
    with killed_at_the_end(server), server:
        with socket.socket() as probe:
            probe.bind(("127.0.0.2", server.port))  # would be taken, if it listened on all addresses
