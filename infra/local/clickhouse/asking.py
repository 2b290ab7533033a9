"""What a request's parameters say: settings, the statement's own parameters, database, format, query id."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.clickhouse.limits import EXECUTION_S
from infra.local.clickhouse.refusals import Code, Refusal

_PARAMETER = "param_"

#: Names that ClickHouse's HTTP interface takes for itself. Sessions are not kept: each request begins afresh.
_OF_THE_INTERFACE = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "close_session",
        "password",
        "quota_key",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)

#: What is refused rather than passed over, since the answer would be another.
_NOT_HERE = frozenset({"compress", "decompress", "role"})


@dataclass(frozen=True, slots=True)
class Asking:
    """One request's parameters."""

    query: str = ""
    database: str = ""
    format: str = ""
    query_id: str = ""
    compressed: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, str], headers: Mapping[str, str], reading: bool) -> "Asking":
        """From the URL's or the form's parameters; `reading` keeps the statement from changing anything, as GET does.

        Raises Refusal for what this server does not have.
        """
        settings = {"max_execution_time": str(EXECUTION_S)}
        parameters: dict[str, str] = {}
        own = {
            "query": "",
            "database": headers.get("X-ClickHouse-Database", ""),
            "default_format": headers.get("X-ClickHouse-Format", ""),
            "query_id": "",
        }
        for name, value in given.items():
            if name.startswith(_PARAMETER):
                parameters[name.removeprefix(_PARAMETER)] = value
            elif name in own:
                own[name] = value
            elif name in _NOT_HERE and value not in ("", "0"):
                raise Refusal.of(Code.NOT_IMPLEMENTED, f"the local ClickHouse does not have {name}")
            elif name not in _OF_THE_INTERFACE and name not in _NOT_HERE:
                settings[name] = value
        if reading:
            settings["readonly"] = "2"
        return cls(
            query=own["query"],
            database=own["database"],
            format=own["default_format"],
            query_id=own["query_id"] or str(uuid.uuid4()),
            compressed=settings.get("enable_http_compression", "0") not in ("0", "false"),
            settings=settings,
            parameters=parameters,
        )
