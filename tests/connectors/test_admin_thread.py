"""Health and metrics on a thread of their own: there inside the block, gone behind it, and in nobody's way."""

import socket
import threading
import time

import pytest

from connectors.admin_thread import admin_beside
from connectors.errors import MisconfiguredService
from connectors.ports import AdminAddress
from tests.admin import asked, readiness

NAME = "EVCS_STREAMS_ADMIN_PORT"
ANY = AdminAddress(NAME, port=0)


def test_it_serves_while_the_service_has_the_thread_for_itself() -> None:
    ready = False
    with admin_beside(ANY, lambda: b"figure 1\n", lambda: ready) as url:
        assert url is not None
        assert asked(url, "/healthz") == (200, "alive\n")
        assert readiness(url) == 503
        ready = True
        assert readiness(url) == 200
        assert asked(url, "/metrics") == (200, "figure 1\n")
        assert asked(url, "/")[0] == 404
    assert asked(url, "/healthz") == (0, "")
    assert "admin" not in {thread.name for thread in threading.enumerate()}


def test_the_end_waits_for_no_caller() -> None:
    with admin_beside(ANY, lambda: b"", lambda: True) as url:
        assert url is not None
        caller = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])))
        caller.send(b"GET /metrics HTTP/1.1\r\n")
        time.sleep(0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 10
    caller.close()


def test_a_failure_inside_is_passed_on() -> None:
    with pytest.raises(ZeroDivisionError), admin_beside(ANY, lambda: b"", lambda: True) as url:
        raise ZeroDivisionError
    assert url is not None
    assert asked(url, "/healthz")[0] == 0


def test_without_a_port_there_is_nothing() -> None:
    threads = threading.active_count()
    with admin_beside(AdminAddress(NAME), lambda: b"", lambda: True) as url:
        assert url is None
        assert threading.active_count() == threads


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MisconfiguredService, match=rf"127\.0\.0\.1:{port}: .*Choose another with {NAME}"):
            with admin_beside(AdminAddress(NAME, port=port), lambda: b"", lambda: True):
                raise AssertionError("it has begun")


def test_the_address_comes_from_the_environment_and_then_from_the_options() -> None:
    def told(**environ: str) -> AdminAddress:
        return AdminAddress.from_env(environ, "HOST", "PORT")

    assert told() == AdminAddress("PORT", "127.0.0.1", None)
    assert told(HOST="", PORT="") == AdminAddress("PORT", "127.0.0.1", None)
    given = told(HOST="0.0.0.0", PORT="0")
    assert given == AdminAddress("PORT", "0.0.0.0", 0)
    assert given.changed(None, None) == given
    assert given.changed("::1", 9084) == AdminAddress("PORT", "::1", 9084)
    assert told(PORT="9084").changed(None, 0).port == 0
    for wrong in ("x", "-1", "65536"):
        with pytest.raises(MisconfiguredService, match=f"PORT is .*{wrong}"):
            told(PORT=wrong)
    with pytest.raises(MisconfiguredService, match="PORT is 65536"):
        given.changed(None, 65_536)
