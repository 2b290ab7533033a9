"""What a city's platform does with an operator, once around: token, stations, statuses, and a charge that it starts,
watches by query and by push, and stops, up to its order. Anything that is not as the document has it is a fault."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.protocol.beijing_time import wire_time
from infra.simulator.platform import dialect as names
from infra.simulator.platform.caller import Caller
from infra.simulator.platform.errors import CallError, RefusedCall, Ret
from infra.simulator.platform.ledger import Ledger, Receipt
from infra.simulator.platform.queries import MAX_STATIONS_ASKED
from infra.simulator.platform.wire_json import Payload
from schemas.clock import wall_ms
from schemas.values import ChargeModel, ChargeStat, ConnectorStatus

#: The document's limit from the stop command to its result, s (Beijing V1.1 §1.1.12).
STOP_RESULT_S = 50.0

#: How long anything else is waited for, s, and how often it is looked at.
PATIENCE_S = 40.0
_LOOK_S = 0.25
_ASK_STATUS_S = 1.0

#: Energy that a charge should show before it is stopped, kWh.
_ENOUGH_KWH = 0.02

#: A customer may be quicker at a connector: so many are tried.
_TRIES = 20


class RoundTripFailed(Exception):
    """The operator did not do what the document asks; says what and when."""


@dataclass(slots=True)
class RoundTrip:
    """What was seen, as far as it went; `failure` is empty at the end of a good one."""

    stations: int = 0
    connectors: int = 0
    start_charge_seq: str = ""
    start_result_s: float | None = None
    energy_kwh: float = 0.0
    progress_pushes: int = 0
    stop_result_s: float | None = None
    order_s: float | None = None
    step: str = "not begun"
    failure: str = ""
    queries: dict[str, object] = field(default_factory=dict)


async def round_trip(
    caller: Caller,
    ledger: Ledger,
    seen: RoundTrip,
    has_warehouse: bool = True,
    clock: Callable[[], float] = time.time,
) -> None:
    """Goes once around, for statistics only if the operator has a warehouse; notes every step in `seen`. Raises
    RoundTripFailed, or CallError for an answer that is none."""
    seen.step = "asking for a token and the stations"
    await caller.token()
    stations = await caller.all_stations(page_size=MAX_STATIONS_ASKED)
    connectors = [c["ConnectorID"] for s in stations for e in s["EquipmentInfos"] for c in e["ConnectorInfos"]]
    seen.stations, seen.connectors = len(stations), len(connectors)
    seen.step = "asking for the connectors' statuses"
    statuses = await _heard_of(caller, [station["StationID"] for station in stations])
    if set(statuses) != set(connectors):
        raise RoundTripFailed(f"{len(statuses)} connectors have a status, {len(connectors)} are in the catalog")
    if has_warehouse:
        seen.step = "asking for statistics"
        await statistics(caller, stations[0]["StationID"], today(), today())
    connector_id = await _started(caller, ledger, seen, statuses, clock)
    await _watched(caller, ledger, seen, connector_id)
    await _stopped(caller, ledger, seen, connector_id, clock)
    seen.step = "done"


async def _heard_of(caller: Caller, station_ids: list[str]) -> dict[str, int]:
    """The statuses, once most connectors have one: of chargers that have just begun to send, nothing is known yet."""
    until = time.monotonic() + PATIENCE_S
    statuses = await _statuses(caller, station_ids)
    while 2 * (heard := sum(status != ConnectorStatus.OFFLINE for status in statuses.values())) < len(statuses):
        if time.monotonic() > until:
            raise RoundTripFailed(f"{heard} of {len(statuses)} connectors are online after {PATIENCE_S:.0f} s")
        await asyncio.sleep(_ASK_STATUS_S)
        statuses = await _statuses(caller, station_ids)
    return statuses


def _free(statuses: dict[str, int]) -> list[str]:
    """Connectors that a charge may be started on, those with a vehicle first."""
    free = [c for c, status in statuses.items() if status in (ConnectorStatus.PLUGGED, ConnectorStatus.IDLE)]
    return sorted(free, key=lambda c: (statuses[c] != ConnectorStatus.PLUGGED, c))


async def _statuses(caller: Caller, station_ids: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at in range(0, len(station_ids), MAX_STATIONS_ASKED):
        answer = await caller.statuses(station_ids[at : at + MAX_STATIONS_ASKED])
        for station in answer["StationStatusInfos"]:
            found |= {info["ConnectorID"]: info["Status"] for info in station["ConnectorStatusInfos"]}
    return found


async def statistics(caller: Caller, station_id: str, first_day: str, last_day: str) -> Payload:
    """query_station_stats. Until the first samples are in the warehouse, or while that is slow, the operator is to say
    that it is busy, and nothing else. Raises RoundTripFailed if it always does."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            return await caller.stats(station_id, first_day, last_day)
        except RefusedCall as refused:
            if refused.ret != Ret.BUSY:
                raise
        await asyncio.sleep(_LOOK_S)
    raise RoundTripFailed(f"there are no statistics of {station_id} after {PATIENCE_S:.0f} s")


def today() -> str:
    """The day in Beijing, `yyyy-MM-dd`."""
    return wire_time(wall_ms())[:10]


async def _started(
    caller: Caller, ledger: Ledger, seen: RoundTrip, statuses: dict[str, int], clock: Callable[[], float]
) -> str:
    """Starts a charge on a connector that is free; returns which, once its start result has come."""
    said: list[str] = []
    for connector_id in _free(statuses)[:_TRIES]:
        seen.step = f"starting a charge on {connector_id}"
        if (await caller.policy(connector_id))["SuccStat"]:
            said.append("no policy")
            continue
        await caller.auth(connector_id)
        began = clock()
        answer = await caller.start(connector_id)
        if answer["SuccStat"]:
            said.append(f"FailReason {answer['FailReason']}")
            continue
        seq = answer["StartChargeSeq"]
        again = await caller.start(connector_id, seq)
        if again["SuccStat"] and again["StartChargeSeqStat"] != ChargeStat.ENDED:
            raise RoundTripFailed(f"the start {seq} was taken, and refused when it was repeated: {again}")
        result = await _push(ledger, names.START_RESULT, seq, began, "its start result", PATIENCE_S)
        if result.payload["StartChargeSeqStat"] == ChargeStat.CHARGING:
            seen.start_charge_seq, seen.start_result_s = seq, round(result.arrival - began, 2)
            return connector_id
        said.append("a failed start result")
    told = ", ".join(f"{count} × {what}" for what, count in Counter(said).items())
    raise RoundTripFailed(f"no connector took a start: {told}")


async def _watched(caller: Caller, ledger: Ledger, seen: RoundTrip, connector_id: str) -> None:
    """Asks for the charge's status until it shows energy, and has been told of by a push as well."""
    seq, until = seen.start_charge_seq, time.monotonic() + PATIENCE_S
    seen.step = f"watching {seq}"
    while True:
        status = await caller.charge_status(seq)
        seen.energy_kwh = float(status["TotalPower"])
        seen.progress_pushes = len(_pushes(ledger, names.CHARGE_STATUS, seq))
        if status["ConnectorID"] != connector_id or status["ChargeModel"] != ChargeModel.CITY_PLATFORM:
            raise RoundTripFailed(f"{seq} is not as it was started: {status}")
        if status["StartChargeSeqStat"] != ChargeStat.CHARGING:
            return  # its customer, or its vehicle, has ended it
        if seen.energy_kwh >= _ENOUGH_KWH and seen.progress_pushes:
            return
        if time.monotonic() > until:
            raise RoundTripFailed(f"{seq} shows {seen.energy_kwh} kWh and {seen.progress_pushes} pushes by now")
        await asyncio.sleep(_ASK_STATUS_S)


async def _stopped(
    caller: Caller, ledger: Ledger, seen: RoundTrip, connector_id: str, clock: Callable[[], float]
) -> None:
    """Stops the charge, and waits for the result, the order, and the status that agrees with it."""
    seq = seen.start_charge_seq
    seen.step = f"stopping {seq}"
    began = clock()
    answer = await caller.stop(seq, connector_id)
    if answer["SuccStat"] and answer["FailReason"] != _ALREADY_STOPPED:
        raise RoundTripFailed(f"the stop of {seq} was refused: {answer}")
    result = await _push(ledger, names.STOP_RESULT, seq, 0.0, "its stop result", STOP_RESULT_S)
    seen.stop_result_s = round(max(0.0, result.arrival - began), 2)
    for interface in (names.ORDER, names.BONUS_ORDER):
        order = await _push(ledger, interface, seq, 0.0, interface, PATIENCE_S)
    seen.order_s = round(max(0.0, order.arrival - began), 2)
    status = await caller.charge_status(seq)
    if status["StartChargeSeqStat"] != ChargeStat.ENDED or status["TotalPower"] != order.payload["TotalPower"]:
        raise RoundTripFailed(f"the status of {seq} is {status}, its order {order.payload}")


#: FailReason of query_stop_charge.
_ALREADY_STOPPED = 3


def _pushes(ledger: Ledger, interface: str, seq: str) -> list[Receipt]:
    return [r for r in ledger.receipts.copy() if r.interface == interface and r.payload["StartChargeSeq"] == seq]


async def _push(ledger: Ledger, interface: str, seq: str, since: float, what: str, patience_s: float) -> Receipt:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        for receipt in _pushes(ledger, interface, seq):
            if receipt.arrival >= since:
                return receipt
        await asyncio.sleep(_LOOK_S)
    raise RoundTripFailed(f"{what} of {seq} did not come within {patience_s:.0f} s")


def run_round_trip(caller: Caller, ledger: Ledger, seen: RoundTrip, has_warehouse: bool = True) -> None:
    """In an event loop of its own; never raises but notes in `seen` what failed, and how the calls went."""

    async def run() -> None:
        async with caller:
            await round_trip(caller, ledger, seen, has_warehouse)

    try:
        asyncio.run(run())
    except (RoundTripFailed, CallError) as error:
        seen.failure = f"{seen.step}: {error}"
    except Exception as error:
        seen.failure = f"{seen.step}: {type(error).__name__}: {error}"
    seen.queries = caller.ledger.summary()
