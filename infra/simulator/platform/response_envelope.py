"""The response envelope of T/CEC 102.4: exactly four fields, a known Ret, a good signature, also of a refusal.

It opens what it can and tells every flaw on the way; the payload is not its business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from infra.simulator.platform.crypto import Crypto
from infra.simulator.platform.errors import CryptoError, Flaw, Kind, Ret, WireJsonError
from infra.simulator.platform.wire_json import IntText, parse

NAMES = ("Ret", "Msg", "Data", "Sig")
_RETS = {IntText(int(ret)): ret for ret in Ret}
_DATA = re.compile(r"(?:[A-Za-z0-9+/]+={0,2})?")
_SIG = re.compile(r"[0-9A-F]{32}")


@dataclass(slots=True)
class Opened:
    """What an answer's body holds, as far as it can be read; `plaintext` None if `Data` is empty or could not be."""

    ret: Ret | None = None
    msg: str = ""
    plaintext: bytes | None = None
    flaws: list[Flaw] = field(default_factory=list)


def open_answer(crypto: Crypto, body: bytes) -> Opened:
    """Read, verify, decrypt. A refusal's `Data` is empty or an encrypted `{}`; both are seen in the wild."""
    opened = Opened()
    fields = _fields(body, opened.flaws)
    if fields is None:
        return opened
    opened.ret = _RETS.get(fields["Ret"]) if type(fields.get("Ret")) is IntText else None
    opened.msg = fields["Msg"] if type(fields.get("Msg")) is str else ""
    if opened.flaws:
        return opened
    data = fields["Data"]
    if fields["Sig"] != crypto.sign_response(int(fields["Ret"]), fields["Msg"], data):
        opened.flaws.append(Flaw(Kind.SIGNATURE, "Sig", "does not match"))
    if data:
        opened.plaintext = _decrypted(crypto, data, opened.flaws)
        if opened.ret is not Ret.OK and opened.plaintext not in (b"{}", None):
            opened.flaws.append(Flaw(Kind.ENVELOPE, "Data", "must be empty or an encrypted {} in a refusal"))
    elif opened.ret is Ret.OK:
        opened.flaws.append(Flaw(Kind.ENVELOPE, "Data", "must not be empty with Ret 0"))
    return opened


def _fields(body: bytes, flaws: list[Flaw]) -> dict[str, Any] | None:
    try:
        fields = parse(body)
    except WireJsonError as error:
        flaws.append(Flaw(Kind.JSON, "body", str(error).removeprefix("Data: ")))
        return None
    if type(fields) is not dict:
        flaws.append(Flaw(Kind.ENVELOPE, "body", "must be an object"))
        return None
    for name in NAMES:
        if name not in fields:
            flaws.append(Flaw(Kind.ENVELOPE, name, "is mandatory"))
        else:
            message = _misfit(name, fields[name])
            flaws += [Flaw(Kind.ENVELOPE, name, message)] if message else []
    flaws += [Flaw(Kind.ENVELOPE, name, "does not belong here") for name in fields if name not in NAMES]
    return fields


def _misfit(name: str, value: object) -> str:
    """What the value should be, empty if it is that."""
    if name == "Ret":
        if type(value) is not IntText:
            return "must be an integer"
        return "" if value in _RETS else f"must be one of {', '.join(_RETS)}"
    if type(value) is not str:
        return "must be a string"
    if name == "Data" and _DATA.fullmatch(value) is None:
        return "must be base64"
    if name == "Sig" and _SIG.fullmatch(value) is None:
        return f"must be {_SIG.pattern}"
    return ""


def _decrypted(crypto: Crypto, data: str, flaws: list[Flaw]) -> bytes | None:
    try:
        return crypto.decrypt(data)
    except CryptoError as error:
        flaws.append(Flaw(Kind.ENVELOPE, "Data", f"cannot be decrypted: {error}"))
        return None
