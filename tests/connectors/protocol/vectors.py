"""The published vectors, read once for the tests of the wire."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.protocol.credentials import Credentials, Secret

_FOLDER = Path(__file__).parents[2] / "data" / "protocol"


@dataclass(frozen=True)
class Vector:
    """One envelope, its secrets and its plaintext."""

    id: str
    kind: str
    envelope: dict[str, Any]
    plaintext: bytes
    credentials: Credentials

    @property
    def body(self) -> bytes:
        return json.dumps(self.envelope, separators=(",", ":")).encode()


def _vector(raw: dict[str, Any]) -> Vector:
    secrets = [Secret(raw[name]) for name in ("DataSecret", "DataSecretIV", "SigSecret")]
    operator_id = raw["envelope"].get("OperatorID", "")
    credentials = Credentials(operator_id, Secret("1234567890abcdef"), *secrets)
    return Vector(raw["id"], raw["kind"], raw["envelope"], raw["plaintext"].encode(), credentials)


VECTORS = [_vector(raw) for raw in json.loads((_FOLDER / "vectors.json").read_text(encoding="utf-8"))]
REQUESTS = [vector for vector in VECTORS if vector.kind == "request"]
RESPONSES = [vector for vector in VECTORS if vector.kind == "response"]


def sample(name: str) -> dict[str, Any]:
    """A published payload's file."""
    found: dict[str, Any] = json.loads((_FOLDER / "samples" / name).read_text(encoding="utf-8"))
    return found
