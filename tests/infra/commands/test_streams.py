"""`evcs streams`: what it says without a broker."""

from infra.local.ports import free_port
from tests.infra.commands.processes import evcs, seconds_until_told


def test_without_a_broker_it_soon_says_where_it_looks_and_what_to_do() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    process = evcs("streams", EVCS_KAFKA_BOOTSTRAP=nobody)
    try:
        seconds_until_told(process, f"no Kafka broker answers at {nobody}: ")
        assert process.poll() is None, "a cluster that is starting too is waited for"
    finally:
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert "no Kafka broker" not in err, "once is enough"
