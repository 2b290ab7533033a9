"""What a file says of a station, its equipment and so on, before anything of it is checked, whatever the file's form.

Fields are called as in the records, except that a spreadsheet has one row for a connector and all around it: there
what is the equipment's begins with `equipment_`, and what is the connector's with `connector_`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from schemas.records.station import Connector, Equipment, Station, TariffPeriod

EQUIPMENT_PREFIX = "equipment_"
CONNECTOR_PREFIX = "connector_"

#: Fields that are not values but lists of entries, and the time of change, which is the topic's business.
_NO_VALUES = ("tariff", "equipment", "connectors", "changed_at")


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the file.

    `place` is where it is, for people. `parts` are a station's equipment or an equipment's connectors, `tariff` a
    station's periods; None where the file has no usable list, which is then told already.
    """

    place: str
    values: Mapping[str, object]
    parts: Sequence["Entry"] | None = ()
    tariff: Sequence["Entry"] | None = ()
    prefix: str = ""

    def shown(self, field: str) -> str:
        """What the file calls a field of this entry."""
        return column(self.prefix, field)


def column(prefix: str, field: str) -> str:
    """What a spreadsheet calls a field."""
    return field if field.startswith(prefix) else prefix + field


def value_fields(record: type[Station | Equipment | Connector | TariffPeriod]) -> tuple[str, ...]:
    """The fields of a record that a file gives a value."""
    return tuple(field.name for field in fields(record) if field.name not in _NO_VALUES)
