"""A day of charging in the tables: samples, orders, attempts and disputes as a test wants them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.platform import Platform, load_platforms
from connectors.policies import Scope
from connectors.reconciliation.audit.asking import SCALE, Scale
from connectors.reconciliation.audit.figures import Audit, Figure
from connectors.reconciliation.audit.run import audit
from tests.infra.clickhouse.database import Database
from tests.infra.clickhouse.electricity import midnight_ms

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
#: A third of an hour at this power, W, is a whole number of kWh; a sample each ten seconds.
POWER_W = 60_000
STEP_MS = 10_000

DAY = datetime.now(UTC).date() - timedelta(days=10)
STATION = "S1"

#: In its scope is every station.
CITY = replace(load_platforms().platforms["beijing"], scope=Scope())
BONUS = "notification_charge_order_info_for_bonus"
OWN = "notification_charge_order_info"


class Day:
    """The tables of one day. Instants are ms behind its midnight, which may be less than 0."""

    def __init__(self, database: Database, day: date = DAY) -> None:
        self.client = database.client
        self.day = day
        self._midnight = midnight_ms(day)

    def at(self, ms: int) -> datetime:
        """That instant."""
        return datetime.fromtimestamp((self._midnight + ms) / 1000, UTC)

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Rows of the same columns."""
        self.client.insert_rows(table, list(rows[0]), [list(row.values()) for row in rows])

    def samples(self, connector: str, *samples: tuple[int, int], station: str = STATION) -> None:
        """Registers, Wh, at these instants."""
        self.insert(
            "telemetry",
            *(
                {"connector_id": connector, "station_id": station, "sampled_at": self.at(ms), "meter_wh": wh}
                for ms, wh in samples
            ),
        )

    def order(self, seq: str, connector: str, started: int, ended: int, kwh: str, **changed: Any) -> None:
        """An order whose details and totals agree, of CNY 1 and 0.5 per kWh."""
        row = order_row(seq, connector, self.at(started), self.at(ended), Decimal(kwh))
        self.insert("orders", {**row, **changed})

    def charge(self, seq: str, connector: str, started: int, minutes: int = 20, **changed: Any) -> None:
        """A charge at full power between a minute of rest on both sides, its samples and its order: of 20 minutes
        it is 20.00 kWh. The register begins with 1 MWh."""
        ended = started + minutes * MINUTE_MS
        self.samples(connector, *charging(started, ended))
        kwh = str(Decimal(wh_between(started, ended)) / 1000)
        self.order(seq, connector, started, ended, **{"kwh": kwh, **changed})

    def attempt(self, seq: str, due: int, took_ms: int, outcome: str = "DONE", **changed: Any) -> None:
        """One line of the ledger: what was due at an instant was answered so many ms later."""
        row = {
            "platform": CITY.name,
            "interface": BONUS,
            "key": seq,
            "connector_id": "C1",
            "attempt": 1,
            "due_at": self.at(due),
            "started_at": self.at(due + took_ms - 5),
            "latency_ms": 5,
            "outcome": outcome,
            "error": "",
        }
        self.insert("attempts", {**row, **changed})

    def dispute(self, seq: str, at: int, code: int = 5, **changed: Any) -> None:
        """The platform contests an order."""
        row = {
            "start_charge_seq": seq,
            "connector_id": "C1",
            "platform": CITY.name,
            "interface": BONUS,
            "code": code,
            "energy_kwh": Decimal("20.00"),
            "total_money": Decimal("30.00"),
            "disputed_at": self.at(at),
        }
        self.insert("disputes", {**row, **changed})

    def audited(
        self, *platforms: Platform, now: datetime | None = None, scale: Scale = SCALE, day: date | None = None
    ) -> Audit:
        """The audit of the day, seen from now."""
        return audit(self.client, day or self.day, now or datetime.now(UTC), platforms, scale)

    def figure(self, comparison: str, *platforms: Platform, interface: str | None = None, **more: Any) -> Figure:
        """One of its figures."""
        figures = self.audited(*platforms, **more).figures
        (found,) = (one for one in figures if one.comparison == comparison and interface in (None, one.interface))
        return found


def charging(started: int, ended: int, first_wh: int = 1_000_000) -> list[tuple[int, int]]:
    """Samples every ten seconds from a minute before the start to a minute behind the end, at no round instants."""
    instants = range(started - MINUTE_MS - 3_000, ended + MINUTE_MS, STEP_MS)
    return [(ms, first_wh + wh_between(started, min(max(ms, started), ended))) for ms in instants]


def wh_between(started: int, ms: int) -> int:
    """Wh since the start at full power."""
    return POWER_W * (ms - started) // HOUR_MS


def order_row(seq: str, connector: str, started: datetime, ended: datetime, kwh: Decimal) -> dict[str, Any]:
    """A row of orders, of one period."""
    elec, service = (kwh * 1).quantize(Decimal("0.01")), (kwh / 2).quantize(Decimal("0.01"))
    return {
        "start_charge_seq": seq,
        "connector_id": connector,
        "station_id": STATION,
        "charge_model": 1,
        "started_at": started,
        "ended_at": ended,
        "energy_kwh": kwh,
        "elec_money": elec,
        "service_money": service,
        "total_money": elec + service,
        **periods((started, ended, kwh, elec, service)),
        "meter_start_kwh": Decimal(1000),
        "meter_end_kwh": Decimal(1000) + kwh,
        "billed": False,
        "flags": [],
    }


def periods(*given: tuple[datetime, datetime, Decimal, Decimal, Decimal]) -> dict[str, Sequence[Any]]:
    """Tariff periods as columns: start, end, kWh, money for electricity and for service."""
    names = ("started_at", "ended_at", "energy_kwh", "elec_money", "service_money")
    prices = ("elec_price", "service_price")
    return {
        **{f"periods.{name}": [period[n] for period in given] for n, name in enumerate(names)},
        **{f"periods.{name}": [Decimal(1)] * len(given) for name in prices},
    }
