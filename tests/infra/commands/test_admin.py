"""The admin port of the services that have none by themselves: refused before anything else, and not there unasked."""

import socket

import pytest

from infra.local.ports import free_port
from tests.admin import listening_sockets
from tests.connectors.delivery.test_settings import ENVIRONMENT
from tests.infra.commands.processes import evcs, seconds_until_told
from tests.whole.topics import PATIENCE_S

SERVICES = {
    "EVCS_STREAMS_ADMIN_PORT": ("streams",),
    "EVCS_DELIVERY_ADMIN_PORT": ("delivery", "run", "beijing"),
}

each_service = pytest.mark.parametrize(("setting", "words"), SERVICES.items())


@each_service
@pytest.mark.parametrize("by_option", [True, False])
def test_a_port_that_is_taken_is_one_line_before_anything_starts(
    setting: str, words: tuple[str, ...], by_option: bool
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ("--admin-port", port) if by_option else ()
        told = {} if by_option else {setting: port}
        process = evcs(*words, *options, **ENVIRONMENT, **told, EVCS_KAFKA_BOOTSTRAP=nobody)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == ("", 1)
    assert err == (f"error: can't listen on 127.0.0.1:{port}: Address already in use. Choose another with {setting}\n")


@each_service
@pytest.mark.parametrize("options", [(), ("--admin-port", "0")])
def test_it_listens_only_if_it_is_told_to(setting: str, words: tuple[str, ...], options: tuple[str, ...]) -> None:
    process = evcs(*words, *options, **ENVIRONMENT, EVCS_KAFKA_BOOTSTRAP=f"127.0.0.1:{free_port()}")
    try:
        seconds_until_told(process, "no Kafka broker answers")
        assert listening_sockets(process.pid) == bool(options)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
