"""A gateway in memory for hostile callers: two platforms that share their paths, a few stations each, a clock that goes
when it is told to, and commands that are noted instead of sent."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from connectors.gateway.answers import Answers
from connectors.gateway.app import GatewayApp
from connectors.gateway.command_desk import CommandDesk
from connectors.gateway.metrics import Metrics
from connectors.gateway.peer import Peer
from connectors.gateway.reception import Reception
from connectors.gateway.settings import routes
from connectors.gateway.views.commands import Commands
from connectors.gateway.views.sight import Views
from connectors.platform import load_platforms
from connectors.policies import Scope
from connectors.protocol.credentials import Credentials, Secret
from schemas.codec import codec_for
from schemas.records.charger_commands import StartCharge, StopCharge
from schemas.records.connector_state import ConnectorState
from schemas.records.station import Connector, Equipment, Station, TariffPeriod
from tests.connectors.interfaces.records import ORDER

BASE = "/evcs/20160701/"
NOW_S = 1_772_589_600.0  # 2026-03-04 10:00:00 in Beijing
CODEC = codec_for("")

_WEEK_S = 7 * 86_400

#: What is known of the commands at once, so that a long run fills it.
COMMANDS_MAX = 500


@dataclass(frozen=True, slots=True)
class Secrets:
    """One platform's, each unlike the others, so that any of them is found where it should not be."""

    name: str
    operator_id: str
    operator_secret: str
    data_secret: str
    data_iv: str
    sig_secret: str

    def credentials(self) -> Credentials:
        """As the gateway holds them."""
        secrets = (self.operator_secret, self.data_secret, self.data_iv, self.sig_secret)
        return Credentials(self.operator_id, *map(Secret, secrets))

    def texts(self) -> tuple[str, ...]:
        """Those that must not show."""
        return self.operator_secret, self.data_secret, self.data_iv, self.sig_secret


BEIJING = Secrets(
    "beijing", "110000001", "Bj-Operator-hush", "Bj-Data-hush-key", "Bj-Iv-hush-block", "Bj-Sig-hush-hmac"
)
CHENGDU = Secrets(
    "chengdu", "510000002", "Cd-Operator-hush", "Cd-Data-hush-key", "Cd-Iv-hush-block", "Cd-Sig-hush-hmac"
)
PLATFORMS = {one.operator_id: one for one in (BEIJING, CHENGDU)}

#: The stations of each platform by its OperatorID, and the statuses that the connectors of a station have, in order.
STATIONS = {BEIJING.operator_id: ("BJ1", "BJ2"), CHENGDU.operator_id: ("CD1",)}
STATUSES = (1, 2, 3, 0, 255, 4, 1, 2)
RUNNING_SEQ, ENDED_SEQ = "110000001" + "1" * 18, "110000001" + "2" * 18


def connector_id(station_id: str, number: int) -> str:
    """The connector of this number, from 0 on."""
    return f"{station_id}-C{number}"


class ManualClock:
    """Seconds since the epoch; goes when it is told to."""

    def __init__(self, now_s: float = NOW_S) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        """Now, s."""
        return self.now_s

    def ms(self) -> int:
        """Now, UTC ms."""
        return int(self.now_s * 1000)


@dataclass
class Sender:
    """Notes commands; `fault` is raised instead, if there is one. They wait for `gate`, if there is one."""

    sent: list[StartCharge | StopCharge] = field(default_factory=list)
    fault: Exception | None = None
    gate: asyncio.Event | None = None
    waiting: int = 0

    async def put(self, command: StartCharge | StopCharge) -> None:
        """A command on its way."""
        await asyncio.sleep(0)
        if self.gate is not None:
            self.waiting += 1
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.sent.append(command)


class Readings:
    """Statistics of a warehouse that always answers; `fault` is raised instead, if there is one."""

    fault: Exception | None = None

    async def electricity_kwh(self, station_id: str, first: date, last: date) -> dict[str, Decimal]:
        """1.5 kWh for each connector."""
        if self.fault is not None:
            raise self.fault
        return {connector_id(station_id, number): Decimal("1.5") for number in range(len(STATUSES))}


@dataclass
class World:
    """All of it; `app` is what a server would serve."""

    clock: ManualClock
    views: Views
    sender: Sender
    readings: Readings
    metrics: Metrics
    peers: dict[str, Peer]
    answers: dict[str, Answers]
    app: GatewayApp
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, secrets: Secrets) -> str:
        """The platform's access token, good for a week."""
        token = self._tokens.get(secrets.operator_id)
        if token is None:
            token = self._tokens[secrets.operator_id] = self._issued(secrets, _WEEK_S)
        return token

    def ended_token(self, secrets: Secrets) -> str:
        """One that was good a moment ago."""
        return self._issued(secrets, 0)

    def _issued(self, secrets: Secrets, good_for_s: int) -> str:
        return self.peers[secrets.operator_id].seal.issue(int(self.clock.now_s) + good_for_s).reveal()


def make_world(is_ready: Callable[[], bool] = lambda: True, replay_window_s: int = 0, per_second: float = 0) -> World:
    """A world of its own. Rates are not limited unless the test says so, since the clock mostly stands."""
    clock, sender, readings = ManualClock(), Sender(), Readings()
    views = _filled(Views.empty(CODEC)._replace(commands=Commands(CODEC, most=COMMANDS_MAX)), clock)
    metrics = Metrics(lambda: 0.0, {})
    peers = {one.operator_id: _peer(one, replay_window_s, per_second) for one in PLATFORMS.values()}
    desk = CommandDesk(sender.put, views.commands, clock.ms)
    answers = {peer.name: Answers(peer, views, desk, readings, clock.ms) for peer in peers.values()}
    reception = Reception(answers, metrics, is_ready, clock)
    app = GatewayApp(reception, routes(list(peers.values())))
    return World(clock, views, sender, readings, metrics, peers, answers, app)


def _peer(secrets: Secrets, replay_window_s: int, per_second: float) -> Peer:
    profile = load_platforms(environ={}).platforms[secrets.name]
    policy = replace(profile.gateway, replay_window_s=replay_window_s, per_second=per_second, burst=50)
    scope = Scope(stations=frozenset(STATIONS[secrets.operator_id]))
    return Peer(replace(profile, gateway=policy, scope=scope), secrets.credentials())


def _filled(views: Views, clock: ManualClock) -> Views:
    for station_id in (name for names in STATIONS.values() for name in names):
        views.stations.put(station_id.encode(), CODEC.encode(station(station_id)))
        for number, status in enumerate(STATUSES):
            state = _state(station_id, connector_id(station_id, number), status)
            views.connectors.put(state.connector_id.encode(), CODEC.encode(state))
    order = replace(ORDER, start_charge_seq=ENDED_SEQ, connector_id=connector_id("BJ1", 0), charge_model=1)
    views.ended.put(CODEC.encode(order), clock.ms(), clock.ms())
    running = StartCharge(RUNNING_SEQ, connector_id("BJ1", 1), 1, "", clock.ms(), clock.ms() + 30_000)
    views.commands.note(running)
    return views


def station(station_id: str, *more_connectors: str) -> Station:
    """A station whose connectors are one for each of STATUSES, and these."""
    connector_ids = [connector_id(station_id, number) for number in range(len(STATUSES))]
    connectors = tuple(
        Connector(one, 4, 750, 200, 250, Decimal("120.0"), 2) for one in (*connector_ids, *more_connectors)
    )
    charger = Equipment(f"{station_id}-E", 1, Decimal("120.0"), connectors)
    tariff = (TariffPeriod(0, Decimal("0.6"), Decimal("0.4")), TariffPeriod(28_800, Decimal("1.2"), Decimal("0.8")))
    return Station(
        station_id=station_id,
        operator_id="MA7L4KFB0",
        equipment_owner_id="MA7L4KFB0",
        station_name=f"站{station_id}",
        area_code="110105",
        address="街",
        service_tel="10086",
        station_type=1,
        station_status=50,
        park_count=9,
        longitude=Decimal("116.400000"),
        latitude=Decimal("39.900000"),
        construction=1,
        changed_at=int(NOW_S) * 1000,
        tariff=tariff,
        equipment=(charger,),
    )


def _state(station_id: str, connector: str, status: int) -> ConnectorState:
    return ConnectorState(
        connector_id=connector,
        equipment_id=f"{station_id}-E",
        station_id=station_id,
        status=status,
        park_status=0,
        lock_status=0,
        status_since=0,
        closed_seqs=(),
        failed_seqs=(),
        charges=(),
        status_pushed_at=0,
        event_offset=0,
        telemetry_offset=0,
        next_push_at=0,
        reading_at=0,
        reading_wh=0,
        sample=None,
    )


def label_sets(metrics: Metrics) -> set[str]:
    """Every series that the metrics have, without its value."""
    return {re.sub(r" [^ ]*$", "", line) for line in metrics.text().decode().splitlines() if not line.startswith("#")}
