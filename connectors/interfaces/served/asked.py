"""Reading what a platform asks: the fields of its requests, in its own spelling, with the standard's bounds.

Errors are BadPayload, which name the field.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connectors.interfaces.dialect import Dialect
from connectors.protocol import fields
from connectors.protocol.errors import BadPayload

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def identifier(payload: Mapping[str, object], name: str, dialect: Dialect) -> str:
    """A mandatory identifier that is not empty and not longer than the dialect allows."""
    spoken = dialect.name(name)
    value = fields.text(payload, spoken)
    if not value:
        raise BadPayload("is empty", spoken)
    checked_length(value, name, dialect)
    return value


def checked_length(value: str, name: str, dialect: Dialect) -> None:
    """Raises BadPayload for a value that is longer than the field."""
    longest = dialect.limits[name]
    if len(value) > longest:
        raise BadPayload(f"has {len(value)} characters, {longest} are allowed", dialect.name(name))


def day(payload: Mapping[str, object], name: str, dialect: Dialect) -> date:
    """A mandatory `yyyy-MM-dd`."""
    spoken = dialect.name(name)
    value = fields.text(payload, spoken)
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise BadPayload("is no yyyy-MM-dd", spoken)


@dataclass(frozen=True, slots=True)
class OfConnector:
    """A question about a connector, which the platform numbers."""

    seq: str
    connector_id: str


@dataclass(frozen=True, slots=True)
class OfCharge:
    """A question about, or an order to, the charge on a connector."""

    start_charge_seq: str
    connector_id: str


def of_connector(payload: Mapping[str, object], seq: str, dialect: Dialect) -> OfConnector:
    """EquipAuthSeq or EquipBizSeq, as `seq` says, and ConnectorID."""
    return OfConnector(identifier(payload, seq, dialect), identifier(payload, "ConnectorID", dialect))


def of_charge(payload: Mapping[str, object], dialect: Dialect) -> OfCharge:
    """StartChargeSeq and ConnectorID."""
    return OfCharge(
        identifier(payload, "StartChargeSeq", dialect),
        identifier(payload, "ConnectorID", dialect),
    )
