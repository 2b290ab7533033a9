"""The envelope of T/CEC 102: what is encrypted and signed in which order, and how liberally one is read.

Sending: encrypt, then sign. Receiving: verify, then decrypt; `open_*` does both, and a server that has
checks of its own in between calls `read_*`, `verify_*` and `decrypt_data` itself.
"""

from collections.abc import Generator, Mapping

import msgspec

from connectors.protocol import cipher, wire_json
from connectors.protocol.credentials import Credentials
from connectors.protocol.errors import BadPayload, BadSignature, MalformedEnvelope, Undecryptable
from connectors.protocol.fields import find
from connectors.protocol.ret_codes import RetCode
from connectors.protocol.sequence import Stamp

#: What an attempt's record takes.
RET_MAX = 2**31 - 1


class RequestEnvelope(msgspec.Struct, frozen=True):
    """A request as it came, nothing checked yet but that the five fields are there."""

    operator_id: str
    data: str
    timestamp: str
    seq: str
    sig: str


class ResponseEnvelope(msgspec.Struct, frozen=True):
    """A response as it came; `msg` is None for null, `data` and `sig` are "" where an error left them out."""

    ret: int
    msg: str | None
    data: str | None
    sig: str


class OpenedRequest(msgspec.Struct, frozen=True):
    """A verified request and its plaintext."""

    envelope: RequestEnvelope
    payload: bytes


class OpenedResponse(msgspec.Struct, frozen=True):
    """A response and its plaintext, which is empty where there was none.

    `signed` is False only for an error reply without Sig: act on its Ret by retrying, never by dropping.
    """

    ret: int
    msg: str
    payload: bytes
    signed: bool


def seal_request(payload: bytes, credentials: Credentials, stamp: Stamp) -> bytes:
    """The JSON body that carries `payload` (UTF-8 JSON) from `credentials.operator_id`."""
    data = encrypt_data(payload, credentials)
    operator_id, (timestamp, seq) = credentials.operator_id, stamp
    sig = credentials.signer.sign(operator_id + data + timestamp + seq)
    return wire_json.encode({"OperatorID": operator_id, "Data": data, "TimeStamp": timestamp, "Seq": seq, "Sig": sig})


def seal_response(payload: bytes, credentials: Credentials, ret: int = RetCode.OK, msg: str = "") -> bytes:
    """The JSON body of a response; an empty payload, as errors have, makes an empty Data."""
    data = encrypt_data(payload, credentials) if payload else ""
    sig = credentials.signer.sign(f"{int(ret)}{msg}{data}")
    return wire_json.encode({"Ret": int(ret), "Msg": msg, "Data": data, "Sig": sig})


def seal_response_in_pieces(payload: bytes, credentials: Credentials) -> Generator[None, None, bytes]:
    """`seal_response` of a long payload, Ret 0, with a pause after each piece of the work."""
    ret, pieces = int(RetCode.OK), []
    signing = credentials.signer.begin()
    signing.add(str(ret))
    for piece in credentials.cbc.encrypt_in_pieces(payload):
        signing.add(piece)
        pieces.append(piece)
        yield
    return wire_json.encode({"Ret": ret, "Msg": "", "Data": "".join(pieces), "Sig": signing.sig()})


def open_request(body: bytes, credentials: Credentials) -> OpenedRequest:
    """Read, verify and decrypt. Raises MalformedEnvelope, BadSignature or Undecryptable."""
    envelope = read_request(body)
    verify_request(envelope, credentials)
    return OpenedRequest(envelope, decrypt_data(envelope.data, credentials))


def open_response(body: bytes, credentials: Credentials) -> OpenedResponse:
    """Read, verify and decrypt. Raises MalformedEnvelope, BadSignature or Undecryptable.

    Of an error reply (Ret is not 0) only the Ret is needed: Data that can't be decrypted counts as empty.
    """
    envelope = read_response(body)
    failed = envelope.ret != RetCode.OK
    signed = bool(envelope.sig)
    if signed or not failed:
        verify_response(envelope, credentials)
    payload = b""
    if envelope.data:
        try:
            payload = decrypt_data(envelope.data, credentials)
        except Undecryptable:
            if not failed:
                raise
    return OpenedResponse(envelope.ret, envelope.msg or "", payload, signed)


def read_request(body: bytes) -> RequestEnvelope:
    """The envelope of a request. Raises MalformedEnvelope naming the first field that is absent or no string."""
    fields = _fields(body)
    return RequestEnvelope(
        operator_id=_text(fields, "OperatorID"),
        data=_text(fields, "Data"),
        timestamp=_text(fields, "TimeStamp"),
        seq=_text(fields, "Seq"),
        sig=_text(fields, "Sig"),
    )


def read_response(body: bytes) -> ResponseEnvelope:
    """The envelope of a response. Raises MalformedEnvelope.

    Taken as well: lower-camel names, Ret as a string, Msg or Data null, further fields, and on errors
    neither Data nor Sig.
    """
    fields = _fields(body)
    ret = _ret(fields)
    msg = find(fields, "Msg")
    if msg is not None and not isinstance(msg, str):
        raise MalformedEnvelope("is not a string", "Msg")
    failed = ret != RetCode.OK
    data: str | None = None
    if find(fields, "Data") is not None or not failed:
        data = _text(fields, "Data")
    sig = "" if failed and find(fields, "Sig") is None else _text(fields, "Sig")
    return ResponseEnvelope(ret, msg, data, sig)


def verify_request(envelope: RequestEnvelope, credentials: Credentials) -> None:
    """Raises BadSignature."""
    text = envelope.operator_id + envelope.data + envelope.timestamp + envelope.seq
    if not cipher.same_signature(credentials.signer.sign(text), envelope.sig):
        raise BadSignature


def verify_response(envelope: ResponseEnvelope, credentials: Credentials) -> None:
    """Raises BadSignature. A null was signed as `null` or as nothing, depending on the peer's language."""
    sign = credentials.signer.sign
    if envelope.msg is not None and envelope.data is not None:
        text = f"{envelope.ret}{envelope.msg}{envelope.data}"
        if not cipher.same_signature(sign(text), envelope.sig):
            raise BadSignature(claimed_ret=envelope.ret)
        return
    msgs = ("", "null") if envelope.msg is None else (envelope.msg,)
    datas = ("", "null") if envelope.data is None else (envelope.data,)
    texts = (f"{envelope.ret}{msg}{data}" for msg in msgs for data in datas)
    if not any(cipher.same_signature(sign(text), envelope.sig) for text in texts):
        raise BadSignature(claimed_ret=envelope.ret)


def encrypt_data(payload: bytes, credentials: Credentials) -> str:
    """`Data` for a payload."""
    return credentials.cbc.encrypt(payload)


def decrypt_data(data: str, credentials: Credentials) -> bytes:
    """The payload in a `Data`. Raises Undecryptable."""
    return credentials.cbc.decrypt(data)


def _fields(body: bytes) -> dict[str, object]:
    try:
        return wire_json.decode(body)
    except BadPayload as error:
        raise MalformedEnvelope(error.reason) from None


def _text(fields: Mapping[str, object], name: str) -> str:
    value = find(fields, name)
    if value is None:
        raise MalformedEnvelope("is missing", name)
    if not isinstance(value, str):
        raise MalformedEnvelope("is not a string", name)
    return value


def _ret(fields: Mapping[str, object]) -> int:
    value = find(fields, "Ret")
    if value is None:
        raise MalformedEnvelope("is missing", "Ret")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= RET_MAX:
        return value
    # Only the canonical digits, because the signature is made over them.
    if isinstance(value, str) and len(value) < 12 and value.isascii() and value.removeprefix("-").isdigit():
        number = int(value)
        if str(number) == value and abs(number) <= RET_MAX:
            return number
    raise MalformedEnvelope("is not an integer of 32 bits", "Ret")
