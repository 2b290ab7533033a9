"""TLS: calls through it, callers that spoil it, and files that can't be used."""

import asyncio
import logging
import socket
import ssl
from pathlib import Path

import pytest
from Crypto.PublicKey import RSA

from connectors import connection, server
from connectors.errors import MisconfiguredService
from connectors.server import listen, tls_context
from tests.connectors.delivery.certificate import write_certificate
from tests.connectors.gateway.hostile_world import make_world
from tests.connectors.gateway.http_served import PATIENCE_S, caller, good_http, served
from tests.connectors.gateway.test_http_slow import BIG, SHORT_S, all_closed_but, big_world


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return write_certificate(tmp_path_factory.mktemp("tls"))


def theirs(certificate: Path) -> ssl.SSLContext:
    """A platform's side, which trusts the certificate."""
    return ssl.create_default_context(cafile=str(certificate))


def ours(files: tuple[Path, Path]) -> ssl.SSLContext:
    """The gateway's."""
    context = tls_context(str(files[0]), str(files[1]))
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    return context


def test_calls_through_tls(files: tuple[Path, Path]) -> None:
    world = big_world()

    async def test() -> None:
        async with served(world.app, ours(files)) as gateway, caller(gateway.port, theirs(files[0])) as platform:
            for interface in (BIG, "query_token", BIG):
                await platform.send(good_http(world, interface))
                (await platform.answer()).assert_good()

    asyncio.run(test())


def test_without_tls_or_with_an_old_one_there_is_no_answer_and_no_line_in_the_log(
    files: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    world = make_world()

    async def test() -> None:
        async with served(world.app, ours(files)) as gateway:
            async with caller(gateway.port) as platform:
                await platform.send(good_http(world))
                assert not (await platform.ended()).startswith(b"HTTP")
            old = theirs(files[0])
            with pytest.warns(DeprecationWarning):
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises(ssl.SSLError):
                await caller(gateway.port, old).__aenter__()
            async with caller(gateway.port, theirs(files[0])) as platform:
                await platform.send(good_http(world))
                (await platform.answer()).assert_good()

    asyncio.run(test())
    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []


def test_a_handshake_that_does_not_come_is_not_waited_for(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_S", SHORT_S)

    async def test() -> None:
        async with served(make_world().app, ours(files)) as gateway, caller(gateway.port) as platform:
            assert await platform.ended() == b""
            async with caller(gateway.port, theirs(files[0])) as platform:
                assert await platform.ended() == b"", "nor is a head behind it"

    asyncio.run(test())


def test_an_answer_that_nobody_takes_is_not_kept(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SEND_S", SHORT_S)
    world = big_world()

    async def test() -> None:
        async with served(world.app, ours(files)) as gateway, caller(gateway.port, theirs(files[0])) as platform:
            await platform.send(good_http(world, BIG))
            await all_closed_but(gateway, 0)

    asyncio.run(test())


def test_a_caller_that_does_not_say_goodbye_does_not_hold_up_the_end(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "TLS_END_S", SHORT_S)
    world = make_world()

    def connected(port: int) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        return theirs(files[0]).wrap_socket(plain, server_hostname="127.0.0.1")

    async def test() -> None:
        async with served(world.app, ours(files)) as gateway:
            # A socket that nobody reads answers no closing.
            idle = await asyncio.to_thread(connected, gateway.port)
            loop = asyncio.get_running_loop()
            began = loop.time()
            await gateway.stop()
            assert loop.time() - began < server.ENDING_S / 2
            idle.close()

    asyncio.run(test())


def test_files_that_can_not_be_used(files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = map(str, files)
    another, encrypted, text = tmp_path / "key.pem", tmp_path / "encrypted.pem", tmp_path / "text.pem"
    another.write_bytes(RSA.generate(2048).export_key("PEM"))
    encrypted.write_bytes(RSA.import_key(Path(key).read_bytes()).export_key("PEM", passphrase="hush"))
    text.write_text("hello")
    nowhere = tmp_path / "nowhere.pem"
    for given_certificate, given_key, told in (
        (nowhere, key, f"EVCS_GATEWAY_TLS_CERTIFICATE is {nowhere}: No such file or directory"),
        (certificate, nowhere, f"EVCS_GATEWAY_TLS_KEY is {nowhere}: No such file or directory"),
        (tmp_path, key, f"EVCS_GATEWAY_TLS_CERTIFICATE is {tmp_path}: Is a directory"),
        (text, key, f"EVCS_GATEWAY_TLS_CERTIFICATE is {text}: there is no certificate in it, as PEM has it"),
        (certificate, text, f"EVCS_GATEWAY_TLS_KEY is {text}: there is no private key in it, as PEM has it"),
        (certificate, certificate, f"EVCS_GATEWAY_TLS_KEY is {certificate}: there is no private key in it"),
        (certificate, another, f"EVCS_GATEWAY_TLS_KEY is {another}: the key is not the certificate's"),
        (certificate, encrypted, f"EVCS_GATEWAY_TLS_KEY is {encrypted}: it is encrypted"),
    ):
        with pytest.raises(MisconfiguredService) as caught:
            tls_context(str(given_certificate), str(given_key))
        assert told in str(caught.value)


def test_without_files_there_is_no_tls() -> None:
    assert tls_context("", "") is None


def test_a_place_where_one_can_not_listen_is_told_with_its_setting() -> None:
    with listen("127.0.0.1", 0, "EVCS_GATEWAY_PORT") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MisconfiguredService) as caught:
            listen("127.0.0.1", port, "EVCS_GATEWAY_PORT")
        assert str(caught.value) == (
            f"can't listen on 127.0.0.1:{port}: Address already in use. Choose another with EVCS_GATEWAY_PORT"
        )
    with pytest.raises(MisconfiguredService, match=r"can't listen on 203.0.113.1:0: Cannot assign .*_HOST"):
        listen("203.0.113.1", 0, "EVCS_GATEWAY_HOST")


def test_one_may_listen_on_ipv6() -> None:
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6")
    with listen("::1", 0, "EVCS_GATEWAY_HOST") as listener:
        assert listener.family is socket.AF_INET6
