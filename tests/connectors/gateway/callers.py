"""Platforms as they call: their secrets, the envelopes that they send, and how they open an answer. The crypto is the
simulated platform's, which knows nothing of ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

from connectors.gateway.reception import Sealed
from connectors.protocol import wire_json
from connectors.protocol.credentials import Credentials, Secret
from infra.simulator.platform.crypto import Crypto

_BEIJING = timezone(timedelta(hours=8))


class Answered(NamedTuple):
    """An answer whose signature was right; `payload` is None where there was no Data."""

    http_status: int
    ret: int
    msg: str
    payload: dict[str, Any] | None


def stamp(at_s: float) -> str:
    """A TimeStamp."""
    return datetime.fromtimestamp(at_s, _BEIJING).strftime("%Y%m%d%H%M%S")


@dataclass(frozen=True)
class Caller:
    """A platform; every secret of it has its `word` in it."""

    operator_id: str
    word: str

    @property
    def crypto(self) -> Crypto:
        """Its secrets at work."""
        return Crypto(f"{self.word}-data".ljust(16, "."), f"{self.word}-iv".ljust(16, "."), f"{self.word}-signs")

    @property
    def operator_secret(self) -> str:
        """What it asks for a token with."""
        return f"{self.word}-operates"

    def credentials(self) -> Credentials:
        """What the gateway is told of it."""
        data, iv = (f"{self.word}-{which}".ljust(16, ".") for which in ("data", "iv"))
        secrets = (Secret(text) for text in (self.operator_secret, data, iv, f"{self.word}-signs"))
        return Credentials(self.operator_id, *secrets)

    def envelope(self, payload: Mapping[str, object] | bytes, at_s: float, seq: str = "0001") -> dict[str, str]:
        """A call as it is sent; bytes are taken for the plaintext as they are."""
        plaintext = payload if isinstance(payload, bytes) else wire_json.encode(payload)
        return self.signed({"Data": self.crypto.encrypt(plaintext), "TimeStamp": stamp(at_s), "Seq": seq})

    def signed(self, fields: Mapping[str, str]) -> dict[str, str]:
        """These fields with the OperatorID and a right Sig."""
        sig = self.crypto.sign_request(self.operator_id, fields["Data"], fields["TimeStamp"], fields["Seq"])
        return {"OperatorID": self.operator_id, **fields, "Sig": sig}

    def body(self, payload: Mapping[str, object] | bytes, at_s: float, seq: str = "0001") -> bytes:
        """The envelope as it travels."""
        return encoded(self.envelope(payload, at_s, seq))

    def opened(self, sealed: Sealed) -> Answered:
        """What the answer says. Raises CryptoError for one that was not sealed with this platform's secrets."""
        fields = json.loads(sealed.body)
        assert list(fields) == ["Ret", "Msg", "Data", "Sig"]
        plaintext = self.crypto.open_response(fields["Ret"], fields["Msg"], fields["Data"], fields["Sig"])
        payload = json.loads(plaintext, parse_float=Decimal) if plaintext else None
        return Answered(sealed.http_status, fields["Ret"], fields["Msg"], payload)


def encoded(envelope: Mapping[str, object]) -> bytes:
    """A body."""
    return json.dumps(envelope).encode()


#: Beijing's platform, and another one.
CITY = Caller("313744932", "lotus")
HARBOUR = Caller("MA1FL4KF0", "heron")
