"""The broker's configuration file and its ports."""

import socket
from pathlib import Path

import pytest

from infra.local.errors import PortTaken
from infra.local.ports import free_port, is_free, require_free
from infra.local.server_properties import render


def parse(text: str) -> dict[str, str]:
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def test_every_listener_is_on_the_loopback_address() -> None:
    properties = parse(render(Path("/data"), 1000, 1001, {}))
    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:1000,CONTROLLER://127.0.0.1:1001"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1000"
    assert properties["controller.quorum.voters"] == f"{properties['node.id']}@127.0.0.1:1001"


def test_overrides_win() -> None:
    text = render(Path("/data"), 1, 2, {"num.io.threads": "9"})
    assert parse(text)["num.io.threads"] == "9"


def test_paths_are_escaped_as_java_reads_them() -> None:
    assert parse(render(Path("/a b/é/𝄞\\x"), 1, 2, {}))["log.dirs"] == r"/a b/\u00e9/\ud834\udd1e\\x"


def test_a_free_port_is_free_until_someone_listens() -> None:
    port = free_port()
    assert is_free(port)
    require_free(port, "--port")
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        with pytest.raises(PortTaken):
            require_free(port, "--port")
