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
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.values import ChargeModel, ChargeStat, ConnectorStatus

#: An order waits so long for another of its StartChargeSeq, s: both and the cluster's answer make less than the second
#: that the platform waits (Beijing V1.1 §1.1.7, §1.1.11).
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
        self._in_hand: dict[str, asyncio.Event] = {}

    async def start(
        self, asked: StartAsked, sight: Sight, charges: Charges, valid_s: int
    ) -> tuple[ChargeStat, StartFailure]:
        """Where the charge stands after the order, and why it was refused. A seq that is known already is not ordered
        again, whatever came of it."""
        seq, connector_id = asked.charge.start_charge_seq, asked.charge.connector_id
        issued_at = self._now_ms()
        async with self._only(seq):
            statuses = sight.statuses(connector_id)
            failure = query_start_charge.verdict(None if statuses is None else statuses.status)
            if failure is StartFailure.NO_SUCH_CONNECTOR:
                return ChargeStat.ENDED, failure
            known = charges.stat(seq, connector_id, self._now_ms())
            if known is not None:
                return known, StartFailure.NONE
            if charges.connector_of(seq) is not None:
                return ChargeStat.ENDED, StartFailure.SEQ_IN_USE
            if failure is not StartFailure.NONE:
                return ChargeStat.ENDED, failure
            command = StartCharge(
                start_charge_seq=seq,
                connector_id=connector_id,
                charge_model=int(ChargeModel.CITY_PLATFORM),
                qr_code=asked.qr_code,
                issued_at=issued_at,
                expires_at=issued_at + valid_s * 1000,
            )
            await self._put(command)
            self._commands.note(command)
            return ChargeStat.STARTING, StartFailure.NONE

    async def stop(self, asked: OfCharge, sight: Sight, charges: Charges) -> tuple[ChargeStat, StopFailure]:
        """Where the charge stands after the order, and why it was refused."""
        seq, connector_id = asked.start_charge_seq, asked.connector_id
        async with self._only(seq):
            statuses = sight.statuses(connector_id)
            if statuses is None:
                return ChargeStat.UNKNOWN, StopFailure.NO_SUCH_CONNECTOR
            stat = charges.stat(seq, connector_id, self._now_ms())
            if stat is None:
                return ChargeStat.UNKNOWN, StopFailure.NO_SUCH_CHARGE
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
    async def _only(self, seq: str) -> AsyncIterator[None]:
        """Orders of one StartChargeSeq come one after the other, so that the second finds what the first has done.
        Raises Refused (busy) when it is not one's turn in time."""
        try:
            async with asyncio.timeout(_TURN_S):
                while (before := self._in_hand.get(seq)) is not None:
                    await before.wait()
        except TimeoutError:
            raise busy("the same order is in hand") from None
        done = self._in_hand[seq] = asyncio.Event()
        try:
            yield
        finally:
            del self._in_hand[seq]
            done.set()
