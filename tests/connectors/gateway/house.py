"""A gateway without Kafka or sockets: two platforms, views that a test fills, and a topic that keeps the commands."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.gateway.answers import Answers
from connectors.gateway.command_desk import CommandDesk
from connectors.gateway.metrics import Metrics
from connectors.gateway.peer import Peer
from connectors.gateway.reception import Reception, Sealed
from connectors.gateway.refusals import busy
from connectors.gateway.settings import routes
from connectors.gateway.statistics import NoStatistics, Statistics
from connectors.gateway.views.sight import Views
from connectors.interfaces.dialect import STANDARD, Dialect
from connectors.platform import load_platforms
from connectors.policies import Scope
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.records.connector_state import ConnectorState
from schemas.records.station import Station
from schemas.registry import SchemaVersion
from tests.connectors.gateway.callers import CITY, HARBOUR, Answered, Caller
from tests.schemas.test_examples import example
from tests.streams.domain.records import CODEC, CONNECTOR, NOON, STATION, Partition

#: Beside CONNECTOR in the city's STATION.
NEIGHBOUR = "EQ000000000000000000000102"
#: What only the harbour's platform sees.
FAR_STATION, FAR_CONNECTOR = "ST00000031", "EQ000000000000000000003101"

BASE = "/evcs/20160701/"

_PROFILE = load_platforms(environ={}).platforms["beijing"]
_STATION: Station = example(SchemaVersion("station", 2))


def peer(
    caller: Caller = CITY,
    name: str = "city",
    areas: tuple[str, ...] = ("11",),
    dialect: Dialect = STANDARD,
    **gateway: Any,
) -> Peer:
    """A platform that calls."""
    policy = replace(_PROFILE.gateway, **gateway)
    profile = replace(_PROFILE, name=name, scope=Scope(areas=areas), dialect=dialect, gateway=policy)
    return Peer(profile, caller.credentials())


def harbour(areas: tuple[str, ...] = ("31",), **changed: Any) -> Peer:
    """The platform of another city."""
    return peer(HARBOUR, "harbour", areas, **changed)


def a_station(
    station_id: str = STATION,
    connectors: tuple[str, ...] = (CONNECTOR, NEIGHBOUR),
    area_code: str = "110105",
    **changed: Any,
) -> Station:
    """A station of one charger."""
    (charger,) = _STATION.equipment
    (plug,) = charger.connectors
    plugs = tuple(replace(plug, connector_id=connector_id) for connector_id in connectors)
    charger = replace(charger, equipment_id=f"{station_id}E1", connectors=plugs)
    return replace(_STATION, station_id=station_id, area_code=area_code, equipment=(charger,), **changed)


class Clock:
    """Stands at noon of 3 March 2025, Beijing time, until a test moves it."""

    def __init__(self) -> None:
        self.ms = NOON

    def now_ms(self) -> int:
        """UTC ms."""
        return self.ms

    def now_s(self) -> float:
        """UTC s."""
        return self.ms / 1000


class CommandTopic:
    """Stands for `charger-commands`; `away` is the cluster's state."""

    def __init__(self) -> None:
        self.commands: list[StartCharge | StopCharge] = []
        self.away = False

    async def put(self, command: StartCharge | StopCharge) -> None:
        """Lets others go on meanwhile, as Kafka does."""
        for _ in range(3):
            await asyncio.sleep(0)
        if self.away:
            raise busy("commands can't be passed on now")
        self.commands.append(command)


class House:
    """One instance of the gateway, by default for the city's and the harbour's platform."""

    def __init__(
        self,
        *peers: Peer,
        clock: Clock | None = None,
        topic: CommandTopic | None = None,
        statistics: Statistics | None = None,
    ) -> None:
        self.clock, self.topic = clock or Clock(), topic or CommandTopic()
        self.peers = peers or (peer(), harbour())
        self.views = Views.empty(CODEC)
        self._states: dict[str, bytes] = {}
        for station in (a_station(), a_station(FAR_STATION, (FAR_CONNECTOR,), "310101")):
            self.catalog(station)
        self.metrics, self.ready = Metrics(lambda: 0.0, {}), True
        self.desk = CommandDesk(self.topic.put, self.views.commands, self.clock.now_ms)
        facts, now_ms = statistics or NoStatistics(), self.clock.now_ms
        self.answers = {one.name: Answers(one, self.views, self.desk, facts, now_ms) for one in self.peers}
        self.reception = Reception(self.answers, self.metrics, lambda: self.ready, self.clock.now_s)
        self.routes = routes(self.peers)

    def catalog(self, station: Station) -> None:
        """A record of the catalog."""
        self.views.stations.put(station.station_id.encode(), CODEC.encode(station))

    def follow(self, run: Partition) -> None:
        """The states and orders that the streams have put out so far."""
        for state in run.states:
            self._states[state.key.decode()] = state.value
            self.views.connectors.put(state.key, state.value)
        for output in run.outputs:
            if output.topic == "charge-orders":
                self.views.ended.put(output.value, output.timestamp, self.clock.now_ms())

    def fail_start(self, connector_id: str, start_charge_seq: str) -> None:
        """The connector's state remembers a start that failed."""
        state = CODEC.decode_as(ConnectorState, self._states[connector_id])
        failed = replace(state, failed_seqs=(start_charge_seq,))
        self.views.connectors.put(connector_id.encode(), CODEC.encode(failed))

    def token(self, caller: Caller = CITY) -> str:
        """An Authorization that is good for an hour."""
        (seal,) = (one.seal for one in self.peers if one.credentials.operator_id == caller.operator_id)
        return f"Bearer {seal.issue(int(self.clock.now_s()) + 3600).reveal()}"

    def send(self, interface: str, body: bytes, authorization: str | None = None) -> Sealed:
        """The answer to any body; with the city's good token unless another is given."""
        bearer = self.token() if authorization is None else authorization
        return asyncio.run(self.reception.answer(self.routes[BASE + interface], bearer, body))

    def call(self, interface: str, payload: Mapping[str, object], caller: Caller = CITY) -> Answered:
        """A call in which nothing is wrong but, maybe, the payload."""
        body = caller.body(payload, self.clock.now_s())
        return caller.opened(self.send(interface, body, self.token(caller)))

    def answer(self, interface: str, payload: Mapping[str, object], caller: Caller = CITY) -> dict[str, Any]:
        """The payload of an answer with Ret 0."""
        answered = self.call(interface, payload, caller)
        assert (answered.http_status, answered.ret, answered.msg) == (200, 0, "")
        assert answered.payload is not None
        return answered.payload
