"""`evcs gateway` as a process of its own: what keeps it from starting is one line; started, it waits for what it needs
and answers until it is told to stop."""

import json
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from connectors.gateway.views.follower import READY
from infra.local.broker import LocalKafka
from infra.local.ports import free_port
from infra.topic_admin import create_topics, delete_topics
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics
from tests.connectors.gateway.hostile_calls import CRYPTO, TOKEN, encoded, envelope, stamp
from tests.connectors.gateway.hostile_rules import assert_hushed
from tests.connectors.gateway.hostile_world import BASE, BEIJING, CHENGDU, Secrets
from tests.infra.commands.processes import evcs
from tests.whole.topics import PATIENCE_S, until

#: A process that is told to stop, and has nothing in hand, is not waited for any longer, s.
END_S = 20.0


def secrets_of(name: str, one: Secrets) -> dict[str, str]:
    """A platform's, as the environment has them."""
    values = (one.operator_id, one.operator_secret, one.data_secret, one.data_iv, one.sig_secret)
    names = ("OPERATOR_ID", "OPERATOR_SECRET", "DATA_SECRET", "DATA_SECRET_IV", "SIG_SECRET")
    return {f"EVCS_{name}_INBOUND_{variable}": value for variable, value in zip(names, values, strict=True)}


ENVIRONMENT = secrets_of("BEIJING", BEIJING)
ANYWHERE = ("beijing", "--port", "0", "--admin-port", "0")
SAME_ID = {**secrets_of("CHENGDU", CHENGDU), "EVCS_CHENGDU_INBOUND_OPERATOR_ID": BEIJING.operator_id}
NO_CA = {"EVCS_KAFKA_SECURITY_PROTOCOL": "SSL", "EVCS_KAFKA_SSL_CA_LOCATION": "/nowhere.pem"}

MISTAKES: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "no such platform": (("atlantis",), {}, "error: no platform 'atlantis': there are beijing, chengdu"),
    "no secrets": (("chengdu",), {}, "error: EVCS_CHENGDU_INBOUND_OPERATOR_ID, EVCS_CHENGDU_INBOUND_OPERATOR_SECRET, "),
    "a short secret": (
        ANYWHERE,
        {"EVCS_BEIJING_INBOUND_DATA_SECRET": "Bj-Data"},
        "error: DataSecret: is 7 bytes long, 16 are needed (EVCS_BEIJING_INBOUND_",
    ),
    "two with one id": (("beijing", "chengdu"), SAME_ID, "error: beijing and chengdu call /evcs/20160701/query_equip"),
    "a port that is a word": (("beijing",), {"EVCS_GATEWAY_PORT": "http"}, "error: EVCS_GATEWAY_PORT is 'http': use a"),
    "a port that there is not": (
        ("beijing", "--port", "65536"),
        {},
        "error: EVCS_GATEWAY_PORT is 65536: use 0 to 65535",
    ),
    "half of TLS": (
        (*ANYWHERE, "--tls-key", "/key.pem"),
        {},
        "error: EVCS_GATEWAY_TLS_CERTIFICATE and EVCS_GATEWAY_TLS",
    ),
    "no TLS file": (
        (*ANYWHERE, "--tls-certificate", "/nowhere.pem", "--tls-key", "/key.pem"),
        {},
        "error: EVCS_GATEWAY_TLS_CERTIFICATE is /nowhere.pem: No such file or directory",
    ),
    "Kafka's protocol": (ANYWHERE, {"EVCS_KAFKA_SECURITY_PROTOCOL": "TLS"}, "error: EVCS_KAFKA_SECURITY_PROTOCOL is"),
    "Kafka's certificate": (ANYWHERE, NO_CA, "error: EVCS_KAFKA_*: "),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_keeps_it_from_starting_is_one_line(mistake: str) -> None:
    arguments, environment, told = MISTAKES[mistake]
    process = evcs("gateway", *arguments, **(ENVIRONMENT | environment))
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err.startswith(told)
    assert err.count("\n") == 1
    assert_hushed(err)


def test_without_any_platform_it_says_what_each_of_them_lacks() -> None:
    process = evcs("gateway")
    out, err = process.communicate(timeout=PATIENCE_S)
    *left_out, last = err.splitlines()
    assert (out, process.returncode) == ("", 1)
    assert [re.search(r": (\w+) is left out: EVCS_", line)[1] for line in left_out] == ["beijing", "chengdu"]  # type: ignore[index]
    assert last == "error: no platform can be served: see the errors above, or `evcs platforms check`"


@pytest.mark.parametrize("which", ["port", "admin-port"])
def test_a_port_that_is_taken(which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = evcs("gateway", *ANYWHERE, f"--{which}", str(port), **ENVIRONMENT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert err.startswith(f"error: can't listen on 127.0.0.1:{port}: Address already in use. Choose another with EVCS_")
    assert err.count("\n") == 1


class Gateway:
    """A process that has come so far that it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        until(lambda: "the gateway listens at" in self.told or process.poll() is not None, "it listens")
        found = re.search(r"listens at (\S+) for beijing; health and metrics at (\S+)", self.told)
        assert found is not None, self.told
        self.url, self.admin = found.groups()

    @property
    def told(self) -> str:
        """Its log until now."""
        return "".join(self.log)

    def status(self, path: str) -> int:
        """Of the admin's port."""
        return httpx.get(self.admin + path).status_code

    def ret(self) -> int:
        """Of a call for a token."""
        payload = {"OperatorID": BEIJING.operator_id, "OperatorSecret": BEIJING.operator_secret}
        data = CRYPTO[BEIJING.operator_id].encrypt(encoded(payload))
        sealed = envelope(BEIJING, data, stamp(time.time()))
        answer = httpx.post(self.url + BASE + TOKEN, content=encoded(sealed)).json()
        assert list(answer) == ["Ret", "Msg", "Data", "Sig"]
        return int(answer["Ret"])

    def ret_or_none(self) -> int | None:
        """None where the connection is closed at once."""
        try:
            return self.ret()
        except httpx.TransportError:
            return None

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Tells it to stop; it does, soon and without a word that it should not say."""
        self.process.send_signal(how)
        assert self.process.wait(END_S) == 0
        self._reading.join()
        assert "Traceback" not in self.told
        assert_hushed(self.told)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)


@contextmanager
def gateway(bootstrap: str, topic_prefix: str = "", files: int = 0) -> Iterator[Gateway]:
    """`evcs gateway beijing` on this cluster, with so many file descriptors."""
    where = {"EVCS_KAFKA_BOOTSTRAP": bootstrap, "EVCS_TOPIC_PREFIX": topic_prefix}
    process = evcs("gateway", *ANYWHERE, **ENVIRONMENT, **where)
    try:
        if files:
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files, files))
        yield Gateway(process)
    finally:
        process.kill()
        process.communicate()


def assert_waits(one: Gateway) -> None:
    """Alive, not ready, and good for a token alone."""
    assert [one.status(path) for path in ("/healthz", "/readyz", "/metrics")] == [200, 503, 200]
    assert "evcs_gateway_view_age_seconds NaN" in httpx.get(one.admin + "/metrics").text
    assert one.ret() == 0


def test_without_a_broker_it_waits_and_says_once_what_for() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    with gateway(nobody) as one:
        until(lambda: "Waiting for it" in one.told, "it says what it waits for")
        assert f"no Kafka broker answers at {nobody}: " in one.told
        assert_waits(one)
        time.sleep(1)
        assert one.told.count("Waiting for it") == 1
        assert len(one.log) < 10, "clients of a cluster that is away do not fill the log"
        one.end()


@pytest.mark.kafka
@pytest.mark.parametrize("told_by", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_it_is_told_to_stop(told_by: signal.Signals, kafka: KafkaCluster) -> None:
    with gateway(kafka.bootstrap, kafka.topic_prefix) as one:
        until(lambda: one.status("/readyz") == 200, "it is ready")
        assert one.ret() == 0
        assert READY in one.told
        one.end(told_by)


@pytest.mark.kafka
def test_topics_that_come_later_are_waited_for(broker: LocalKafka) -> None:
    cluster = KafkaCluster(broker.bootstrap, topic_prefix=f"late-{free_port()}-")
    with gateway(cluster.bootstrap, cluster.topic_prefix) as one:
        until(lambda: "Waiting for it" in one.told, "it says what it waits for")
        assert f"{cluster.topic_prefix}station-catalog is missing: run `evcs topics create`" in one.told
        assert_waits(one)
        create_topics(cluster, topics=all_topics().values())
        until(lambda: one.status("/readyz") == 200, "it is ready")
        assert one.ret() == 0
        assert one.told.count("Waiting for it") <= len(all_topics())
        one.end()
    delete_topics(cluster)


@pytest.mark.kafka
def test_where_file_descriptors_are_few_callers_do_not_take_them_all(kafka: KafkaCluster) -> None:
    few = 600
    with gateway(kafka.bootstrap, kafka.topic_prefix, files=few) as one, ExitStack() as callers:
        until(lambda: one.status("/readyz") == 200, "it is ready")
        host, port = one.url.removeprefix("http://").split(":")
        for _ in range(few + 100):
            callers.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE_S))
        until(lambda: one.ret_or_none() is None, "there is no room for another")
        assert [one.status(path) for path in ("/healthz", "/readyz")] == [200, 200]
        callers.close()
        until(lambda: one.ret_or_none() == 0, "there is room again")
        assert "ERROR" not in one.told
        one.end()


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    with gateway(f"127.0.0.1:{port}") as one:
        assert_waits(one)
        with LocalKafka(tmp_path, port, die_with_parent=True):
            create_topics(KafkaCluster(f"127.0.0.1:{port}"), topics=all_topics().values())
            until(lambda: one.status("/readyz") == 200, "it is ready")
            assert one.ret() == 0
        # And away again: the views age, which is not for the gateway to judge.
        assert json.dumps([one.status("/readyz"), one.ret()]) == "[200, 0]"
        one.end()
