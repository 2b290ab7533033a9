"""The operator's side of the tests: seals a payload, posts it over real HTTP, opens the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from infra.simulator.platform.settings import PlatformSettings
from infra.simulator.platform.wire_json import Payload, dump
from tests.infra.simulator.platform.manual_clock import ManualClock

CONTENT_TYPE = "application/json;charset=utf-8"
GOOD_TOKEN = "the token asked for"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its HTTP status, Ret, Msg and the decrypted Data, {} if empty."""

    status: int
    ret: int
    msg: str
    data: dict[str, Any]


class OperatorSide:
    """One operator with the settings' secrets, at the platform's base URL."""

    def __init__(self, base_url: str, settings: PlatformSettings, clock: ManualClock) -> None:
        self.settings = settings
        self.crypto = settings.crypto()
        self.base_url = base_url
        self.http = httpx.Client(timeout=5.0, trust_env=False)
        self._clock = clock
        self._token: str | None = None

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def ask_token(self, **changed: str) -> Reply:
        """query_token with the right secrets, or with some changed."""
        asked = {"OperatorID": self.settings.operator_id, "OperatorSecret": self.settings.operator_secret}
        return self.push("query_token", {**asked, **changed}, token=None)

    def token(self) -> str:
        """A token, asked for once."""
        if self._token is None:
            self._token = str(self.ask_token().data["AccessToken"])
        return self._token

    def forget_token(self) -> None:
        """Ask again next time."""
        self._token = None

    def envelope(self, payload: Payload | str) -> dict[str, str]:
        """The sealed request; a string is taken as the plaintext as it stands."""
        plaintext = payload if isinstance(payload, str) else dump(payload)
        return self.crypto.seal_request(self.settings.operator_id, plaintext, self._clock.timestamp(), "0001")

    def push(self, interface: str, payload: Payload | str, token: str | None = GOOD_TOKEN) -> Reply:
        """Seal and post."""
        return self.post(interface, json.dumps(self.envelope(payload)), token)

    def post(
        self,
        interface: str,
        body: str | bytes,
        token: str | None = GOOD_TOKEN,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> Reply:
        """Post a body as it stands and open the answer, whose signature must be right."""
        raw = self.raw(interface, body, token, headers, method)
        envelope = raw.json()
        assert set(envelope) == {"Ret", "Msg", "Data", "Sig"}
        plaintext = self.crypto.open_response(envelope["Ret"], envelope["Msg"], envelope["Data"], envelope["Sig"])
        return Reply(raw.status_code, envelope["Ret"], envelope["Msg"], json.loads(plaintext or b"{}"))

    def raw(
        self,
        interface: str,
        body: str | bytes,
        token: str | None = GOOD_TOKEN,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> httpx.Response:
        """Post a body and return what came, unjudged."""
        sent = {"Content-Type": CONTENT_TYPE}
        if token is not None:
            sent["Authorization"] = f"Bearer {self.token() if token == GOOD_TOKEN else token}"
        return self.http.request(
            method, f"{self.base_url}/{interface}", content=body, headers={**sent, **(headers or {})}
        )
