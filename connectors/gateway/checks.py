"""What a call must pass before it is answered, in this order: envelope, operator, signature, time, repetition, rate,
token, decryption, payload. Its size was checked before.

One who can't sign as a platform of ours learns nothing: whether the OperatorID is known makes no difference.
"""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from connectors.gateway.peer import Peer
from connectors.gateway.refusals import Refused, busy, refused
from connectors.protocol import query_token, wire_json
from connectors.protocol.credentials import Credentials
from connectors.protocol.envelope import RequestEnvelope, decrypt_data, read_request, verify_request
from connectors.protocol.errors import BadSignature, MalformedEnvelope, Retryable
from connectors.protocol.ret_codes import RetCode

_BEIJING = timezone(timedelta(hours=8))


class Call(NamedTuple):
    """A request as it came in. `authorization` is the header, "" without one."""

    interface: str
    authorization: str
    body: bytes


def read_envelope(body: bytes) -> RequestEnvelope:
    """Raises Refused with 4003, naming the field."""
    try:
        return read_request(body)
    except MalformedEnvelope as error:
        raise refused(error) from None


def verify(envelope: RequestEnvelope, peer: Peer | None, stranger: Credentials) -> Peer:
    """The platform that has signed; `peer` is the one that the envelope names, if it is one of ours.

    Raises Refused with 4001, after the same work for a stranger, who is held against secrets that nobody has.
    """
    try:
        verify_request(envelope, stranger if peer is None else peer.credentials)
    except BadSignature:
        peer = None
    if peer is None:
        raise Refused(RetCode.BAD_SIGNATURE, "Sig")
    return peer


def open_call(call: Call, envelope: RequestEnvelope, peer: Peer, now_s: float) -> dict[str, object]:
    """All that follows the signature: the payload. Raises Refused."""
    _check_time(envelope, peer.platform.gateway.timestamp_window_s, now_s)
    if not peer.replays.is_new(envelope.sig, now_s):
        raise Refused(RetCode.BAD_REQUEST, "Seq: this envelope has been here before")
    if not peer.rate.takes(now_s):
        raise busy("too many calls")
    if call.interface != query_token.INTERFACE and not peer.seal.is_good(call.authorization, now_s):
        raise Refused(RetCode.BAD_TOKEN, "Authorization")
    try:
        return wire_json.decode(decrypt_data(envelope.data, peer.credentials))
    except Retryable as error:
        raise refused(error) from None


def _check_time(envelope: RequestEnvelope, window_s: int, now_s: float) -> None:
    if not window_s:
        return
    sent_s = _instant_s(envelope.timestamp)
    if sent_s is None:
        raise Refused(RetCode.BAD_REQUEST, "TimeStamp: is no yyyyMMddHHmmss")
    if abs(sent_s - now_s) > window_s:
        raise Refused(RetCode.BAD_REQUEST, f"TimeStamp: is {sent_s - now_s:+.0f} s from our clock")


@lru_cache(maxsize=256)
def _instant_s(timestamp: str) -> float | None:
    """`yyyyMMddHHmmss` in Beijing time as seconds since the epoch; None if it is none."""
    if len(timestamp) != len("20160729142400") or not timestamp.isascii() or not timestamp.isdigit():
        return None
    try:
        return datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=_BEIJING).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
