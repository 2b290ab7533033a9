"""Starts and stops that platforms order: refused with the right FailReason, or put on Kafka once, however often and
to whichever instance they are repeated."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from connectors.gateway.charges import Charges
from connectors.gateway.refusals import busy
from connectors.gateway.views.commands import Commands
from connectors.gateway.views.sight import Sight
from connectors.interfaces.served import query_start_charge
from connectors.interfaces.served.asked import OfCharge
from connectors.interfaces.served.query_start_charge import StartAsked, StartFailure
from connectors.interfaces.served.query_stop_charge import StopFailure
from connectors.platform import Platform
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.values import ChargeModel, ChargeStat, ConnectorStatus

#: An order waits so long for another of its StartChargeSeq, a start also for one of its connector, s: this and the
#: cluster's answer make less than the second that the platform waits (Beijing V1.1 §1.1.7, §1.1.11).
_TURN_S = 0.2

#: A stop that is repeated within this is the same one, ms; later it is given to the charger again.
_SAME_STOP_MS = 10_000


class CommandDesk:
    """For all platforms of an instance. `put` returns when a command is safe, or raises Refused (busy)."""

    def __init__(
        self,
        put: Callable[[StartCharge | StopCharge], Awaitable[None]],
        commands: Commands,
        now_ms: Callable[[], int],
    ) -> None:
        self._put = put
        self._commands = commands
        self._now_ms = now_ms
        self._in_hand: dict[tuple[str, str], asyncio.Event] = {}

    async def start(
        self, asked: StartAsked, platform: Platform, sight: Sight, charges: Charges
    ) -> tuple[ChargeStat, StartFailure]:
        """Where the charge stands after the order, and why it was refused. A seq that is known already is not ordered
        again, whatever came of it."""
        seq, connector_id = asked.charge.start_charge_seq, asked.charge.connector_id
        issued_at = self._now_ms()
        async with self._only(("StartChargeSeq", seq), ("ConnectorID", connector_id)):
            statuses = sight.statuses(connector_id)
            failure = query_start_charge.verdict(None if statuses is None else statuses.status)
            if failure is StartFailure.NO_SUCH_CONNECTOR:
                return ChargeStat.ENDED, failure
            if charges.is_anothers(seq):
                return ChargeStat.ENDED, StartFailure.SEQ_IN_USE
            known = charges.stat(seq, connector_id, self._now_ms())
            if known is not None:
                has_failed = charges.has_failed(seq, connector_id)
                return known, StartFailure.HAS_FAILED if has_failed else StartFailure.NONE
            if charges.connector_of(seq) is not None:
                return ChargeStat.ENDED, StartFailure.SEQ_IN_USE
            if failure is StartFailure.NONE and charges.is_under_way(connector_id, self._now_ms()):
                failure = StartFailure.BUSY
            if failure is not StartFailure.NONE:
                return ChargeStat.ENDED, failure
            command = StartCharge(
                start_charge_seq=seq,
                connector_id=connector_id,
                charge_model=int(ChargeModel.CITY_PLATFORM),
                qr_code=asked.qr_code,
                issued_at=issued_at,
                expires_at=issued_at + platform.gateway.start_valid_s * 1000,
                platform=platform.name,
            )
            await self._put(command)
            self._commands.note(command)
            return ChargeStat.STARTING, StartFailure.NONE

    async def stop(self, asked: OfCharge, sight: Sight, charges: Charges) -> tuple[ChargeStat, StopFailure]:
        """Where the charge stands after the order, and why it was refused."""
        seq, connector_id = asked.start_charge_seq, asked.connector_id
        async with self._only(("StartChargeSeq", seq)):
            statuses = sight.statuses(connector_id)
            if statuses is None:
                return ChargeStat.UNKNOWN, StopFailure.NO_SUCH_CONNECTOR
            stat = charges.stat(seq, connector_id, self._now_ms())
            if stat is None:
                return ChargeStat.UNKNOWN, StopFailure.NO_SUCH_CHARGE
            if charges.is_anothers(seq):
                return stat, StopFailure.NOT_YOURS
            if stat is ChargeStat.ENDED:
                return stat, StopFailure.ALREADY_STOPPED
            commanded = self._commands.get(seq)
            # What a platform has ordered is a platform's, whatever the charger says of it.
            is_ordered = commanded is not None and commanded.start is not None
            if not is_ordered and charges.model(seq, connector_id) not in (None, ChargeModel.CITY_PLATFORM):
                return stat, StopFailure.NOT_YOURS
            if statuses.status == ConnectorStatus.OFFLINE:
                return stat, StopFailure.OFFLINE
            before = None if commanded is None else commanded.stop_issued_at
            now = self._now_ms()
            if before is None or now - before > _SAME_STOP_MS:
                command = StopCharge(seq, connector_id, now)
                await self._put(command)
                self._commands.note(command)
            return ChargeStat.STOPPING, StopFailure.NONE

    @asynccontextmanager
    async def _only(self, *subjects: tuple[str, str]) -> AsyncIterator[None]:
        """Orders about one subject, a field and its value, come one after the other, so that the second finds what the
        first has done. Raises Refused (busy) when it is not one's turn in time."""
        try:
            async with asyncio.timeout(_TURN_S):
                while (before := self._before(subjects)) is not None:
                    await before.wait()
        except TimeoutError:
            raise busy("another order is in hand") from None
        done = asyncio.Event()
        self._in_hand.update(dict.fromkeys(subjects, done))
        try:
            yield
        finally:
            for subject in subjects:
                del self._in_hand[subject]
            done.set()

    def _before(self, subjects: tuple[tuple[str, str], ...]) -> asyncio.Event | None:
        """What is done once an order that is in hand about one of these is."""
        return next((self._in_hand[subject] for subject in subjects if subject in self._in_hand), None)
