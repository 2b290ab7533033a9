"""Requests to the local ClickHouse, byte by byte, as no driver would send them."""

import base64
import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from connectors.warehouse.settings import Warehouse
from tests.whole.topics import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> int:
        """ClickHouse's number for the error, 0 without one."""
        return int(self.headers.get("X-ClickHouse-Exception-Code", "0"))


def ask(
    warehouse: Warehouse,
    body: bytes = b"",
    method: str = "POST",
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    **url: str,
) -> Answer:
    """One request on a connection of its own, in the warehouse's database unless `url` says otherwise. `parameters` are
    the statement's."""
    asked = {
        "database": warehouse.database,
        **url,
        **{f"param_{name}": value for name, value in (parameters or {}).items()},
    }
    basic = base64.b64encode(f"{warehouse.user}:{warehouse.password.reveal()}".encode()).decode()
    connection = http.client.HTTPConnection(str(urlsplit(warehouse.url).netloc), timeout=PATIENCE_S)
    try:
        connection.request(
            method,
            f"{path}?{urlencode(asked)}",
            body,
            {"Authorization": f"Basic {basic}", **(headers or {})},
        )
        response = connection.getresponse()
        return Answer(response.status, dict(response.headers), response.read())
    finally:
        connection.close()
