"""`evcs envelope`: opens and seals the standard's envelopes by hand, on stdin and stdout.

For comparing notes with a platform's engineers; services use `connectors.protocol` themselves.
"""

import codecs
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import click

from connectors.protocol import envelope, wire_json
from connectors.protocol.beijing_time import wire_stamp
from connectors.protocol.cipher import AES_BLOCK_SIZE
from connectors.protocol.credentials import Credentials, Secret
from connectors.protocol.errors import BadCredentials, BadPayload, ProtocolError
from connectors.protocol.sequence import Stamp

F = TypeVar("F", bound=Callable[..., object])

#: Bytes that go on with a UTF-8 character that began before them.
_CONTINUATION = bytes(range(0x80, 0xC0))
_utf8_decoder = codecs.getincrementaldecoder("utf-8")

_IV_HINT = (
    f"; only its first {AES_BLOCK_SIZE} bytes are garbage, so likely it is DataSecretIV "
    "(EVCS_DATA_SECRET_IV) that differs"
)


def _secrets(function: F) -> F:
    """The three secrets, from options or, so that they stay out of the shell's history, the environment."""
    for option, variable, what in (
        (("--sig-secret",), "EVCS_SIG_SECRET", "SigSecret: signs."),
        (("--data-iv", "--data-secret-iv", "data_secret_iv"), "EVCS_DATA_SECRET_IV", "DataSecretIV: 16 bytes."),
        (("--data-secret",), "EVCS_DATA_SECRET", "DataSecret: 16 bytes."),
    ):
        function = click.option(*option, envvar=variable, show_envvar=True, required=True, help=what)(function)
    return function


def _timestamp(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            if not re.fullmatch(r"[0-9]{14}", value):
                raise ValueError
            datetime.strptime(value, "%Y%m%d%H%M%S")
        except ValueError:
            raise click.BadParameter(f"{value!r} is no moment: yyyyMMddHHmmss is needed, as 20160729142400") from None
    return value


def _seq(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[0-9]{4}", value):
        raise click.BadParameter(f"{value!r} is no Seq: four digits are needed, as 0001")
    return value


@click.group("envelope", short_help="Open and seal envelopes by hand.")
def command() -> None:
    """Open and seal envelopes of T/CEC 102, JSON on stdin and stdout.

    Example: evcs envelope open < request.json
    """


@command.command("open")
@_secrets
def open_command(data_secret: str, data_secret_iv: str, sig_secret: str) -> None:
    """Print the payload of a request or a response, byte for byte as it was sealed.

    Exit status 1, and which check failed on stderr, if one does.

    Example: evcs envelope open < request.json
    """
    credentials = _credentials("", data_secret, data_secret_iv, sig_secret)
    body = sys.stdin.buffer.read()
    try:
        payload = _opened(body, credentials)
    except ProtocolError as error:
        raise click.ClickException(str(error)) from None
    sys.stdout.buffer.write(payload)
    sys.stdout.buffer.flush()
    reason = _why_not_json(payload) if payload else ""
    if reason:
        raise click.ClickException(f"the payload is {reason}{_IV_HINT if _opened_with_another_iv(payload) else ''}")


@command.command("seal")
@_secrets
@click.option("--operator-id", default="", help="OperatorID of a request's sender.")
@click.option("--timestamp", callback=_timestamp, help="TimeStamp of a request, yyyyMMddHHmmss. [default: now]")
@click.option("--seq", default="0001", show_default=True, callback=_seq, help="Seq of a request: four digits.")
@click.option(
    "--ret", type=click.IntRange(-envelope.RET_MAX, envelope.RET_MAX), help="Ret: seal a response instead of a request."
)
@click.option("--msg", help="Msg of a response.")
def seal_command(
    data_secret: str,
    data_secret_iv: str,
    sig_secret: str,
    operator_id: str,
    timestamp: str | None,
    seq: str,
    ret: int | None,
    msg: str | None,
) -> None:
    """Seal the payload from stdin exactly as it is, but for one newline at its end.

    Example: evcs envelope seal --operator-id 123456789 < payload.json
    """
    credentials = _credentials(operator_id, data_secret, data_secret_iv, sig_secret)
    if ret is None and msg is not None:
        raise click.UsageError("--msg belongs to a response: give --ret too")
    if ret is None and not operator_id:
        raise click.UsageError("a request needs --operator-id, a response --ret")
    payload = sys.stdin.buffer.read().removesuffix(b"\n")
    reason = _why_not_json(payload) if payload or ret is None else ""
    if reason:
        click.echo(f"Warning: the payload is {reason}; sealed as it is", err=True)
    if ret is None:
        stamp = Stamp(timestamp or wire_stamp(time.time_ns() // 1_000_000), seq)
        body = envelope.seal_request(payload, credentials, stamp)
    else:
        body = envelope.seal_response(payload, credentials, ret, msg or "")
    click.echo(body)


def _opened(body: bytes, credentials: Credentials) -> bytes:
    """The plaintext of either kind. Unlike `open_response` it takes no error reply without a signature."""
    if _is_response(body):
        response = envelope.read_response(body)
        if not response.sig:
            raise click.ClickException(f"Sig: is missing (Ret {response.ret}), nothing could be verified")
        envelope.verify_response(response, credentials)
        return envelope.decrypt_data(response.data, credentials) if response.data else b""
    return envelope.open_request(body, credentials).payload


def _is_response(body: bytes) -> bool:
    try:
        return bool(wire_json.decode(body).keys() & {"Ret", "ret"})
    except BadPayload:
        return False


def _why_not_json(payload: bytes) -> str:
    """Empty if it is JSON as services read it."""
    try:
        wire_json.decode(payload)
    except BadPayload as error:
        return error.reason.removeprefix("is ")
    return ""


def _opened_with_another_iv(payload: bytes) -> bool:
    """Whether it looks so: a wrong IV spoils the first block of CBC and leaves all others right."""
    first, rest = payload[:AES_BLOCK_SIZE], payload[AES_BLOCK_SIZE:].lstrip(_CONTINUATION)
    sound = first.lstrip().startswith((b"{", b"[")) and _is_text(first, final=False)
    return bool(rest) and not sound and _is_text(rest)


def _is_text(part: bytes, *, final: bool = True) -> bool:
    """Whether it is UTF-8 without control characters; unless `final`, the last character may be cut off."""
    try:
        text = _utf8_decoder().decode(part, final)
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char.isspace() for char in text)


def _credentials(operator_id: str, data_secret: str, data_secret_iv: str, sig_secret: str) -> Credentials:
    try:
        operator_id.encode()
        return Credentials(operator_id, Secret(""), Secret(data_secret), Secret(data_secret_iv), Secret(sig_secret))
    except UnicodeEncodeError:
        raise click.UsageError("the OperatorID or a secret is no UTF-8") from None
    except BadCredentials as error:
        raise click.UsageError(str(error)) from None
