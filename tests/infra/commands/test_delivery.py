"""`evcs delivery`: what keeps it from starting is one line; started, it delivers until it is told to stop."""

import signal

import pytest
from click.testing import CliRunner

from connectors.delivery.settings import DeliverySettings
from infra.commands.delivery import command
from infra.local.ports import free_port
from infra.simulator.platform.threaded import PlatformThread
from infra.topic_admin import create_topics, declared_topics
from schemas.cluster import KafkaCluster
from tests.connectors.delivery import city as c
from tests.connectors.delivery import records as r
from tests.connectors.delivery.on_kafka import Writer, offsets
from tests.connectors.delivery.test_settings import ENVIRONMENT, HUSH
from tests.infra.commands.processes import evcs, seconds_until_told
from tests.whole.topics import PATIENCE_S


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (
            ("atlantis",),
            ENVIRONMENT,
            "error: no platform 'atlantis' under connectors/platforms or EVCS_PLATFORMS: there are beijing",
        ),
        (("beijing",), {}, "error: EVCS_BEIJING_OPERATOR_ID, EVCS_BEIJING_OPERATOR_SECRET, "),
        (
            ("beijing",),
            ENVIRONMENT | {"EVCS_BEIJING_OPERATOR_ID": "12"},
            "error: EVCS_BEIJING_OPERATOR_ID: is no OperatorID",
        ),
        (("beijing",), ENVIRONMENT | {"EVCS_DELIVERY_TARGET": "moon"}, "error: EVCS_DELIVERY_TARGET is 'moon'"),
        (("beijing",), ENVIRONMENT | {"EVCS_BEIJING_ADDRESS": "moon"}, "error: EVCS_BEIJING_ADDRESS: 'moon' is no"),
        (("beijing",), ENVIRONMENT | {"EVCS_KAFKA_SECURITY_PROTOCOL": "TLS"}, "error: EVCS_KAFKA_SECURITY_PROTOCOL"),
        (
            ("beijing",),
            ENVIRONMENT | {"EVCS_KAFKA_SECURITY_PROTOCOL": "SSL", "EVCS_KAFKA_SSL_CA_LOCATION": "/nowhere.pem"},
            "error: EVCS_KAFKA_*: ",
        ),
    ],
    ids=["platform", "secrets", "operator", "target", "address", "protocol", "certificate"],
)
def test_what_keeps_it_from_starting_is_one_line(
    arguments: tuple[str, ...], environment: dict[str, str], told: str
) -> None:
    process = evcs("delivery", "run", *arguments, **environment)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err.startswith(told)
    assert err.count("\n") == 1
    assert HUSH not in err


def test_a_log_level_that_there_is_not() -> None:
    result = CliRunner().invoke(command, ["run", "beijing", "--log-level", "loud"])
    assert result.exit_code == 2
    assert "'loud' is not one of" in result.stderr


def test_without_a_broker_it_soon_says_where_it_looks_and_what_to_do() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    process = evcs("delivery", "run", "beijing", **ENVIRONMENT, EVCS_KAFKA_BOOTSTRAP=nobody)
    try:
        seconds_until_told(process, f"no Kafka broker answers at {nobody}: ")
        assert process.poll() is None, "a cluster that is starting too is waited for"
    finally:
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert err == "", "once is enough"


@pytest.mark.kafka
@pytest.mark.parametrize("told_by", [signal.SIGTERM, signal.SIGINT])
def test_it_delivers_until_it_is_told_to_stop(told_by: signal.Signals, kafka: KafkaCluster) -> None:
    create_topics(kafka, topics=declared_topics(["beijing"]))
    Writer(kafka).put(r.order(1, "A"))
    with PlatformThread() as city:
        settings = city.platform.settings
        environment = {
            "EVCS_BEIJING_OPERATOR_ID": settings.operator_id,
            "EVCS_BEIJING_OPERATOR_SECRET": settings.operator_secret,
            "EVCS_BEIJING_DATA_SECRET": settings.data_secret,
            "EVCS_BEIJING_DATA_SECRET_IV": settings.data_iv,
            "EVCS_BEIJING_SIG_SECRET": settings.sig_secret,
            "EVCS_BEIJING_ADDRESS": city.base_url + "/",
            "EVCS_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "EVCS_TOPIC_PREFIX": kafka.topic_prefix,
        }
        process = evcs("delivery", "run", "beijing", **environment)
        try:
            assert city.ledger.wait_for(lambda ledger: ledger.count(c.BONUS) == 1, PATIENCE_S)
            process.send_signal(told_by)
            out, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert (out, process.returncode) == ("", 0)
    assert "delivering to beijing (test)" in err
    assert "Traceback" not in err
    assert settings.data_secret not in err
    committed, ends = offsets(DeliverySettings.from_env("beijing", environment))
    assert committed == ends
