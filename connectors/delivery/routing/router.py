"""The router: derived topics in, each record onto the lanes of the platforms that supervise its station, exactly once.

Which platforms those are is `routes`' decision, in which order `merge`'s; reading and writing is the forwarder's.
"""

import logging
import threading

from confluent_kafka import Message

from connectors.delivery.buffers import Held
from connectors.delivery.forwarder import Forwarder, Outputs, group_of, partition_of
from connectors.delivery.routing.catalog import TOPIC as CATALOG
from connectors.delivery.routing.catalog import StationFollower
from connectors.delivery.routing.merge import Merge
from connectors.delivery.routing.routes import Routes
from connectors.delivery.routing.settings import RouterSettings, taken_on
from connectors.delivery.routing.sorting import Routed, Sorting
from connectors.delivery.topics import LANES, SOURCES, dead_letter_topic, lane_topic
from connectors.ends import Ends
from connectors.errors import MisconfiguredService
from connectors.platform import Platform
from connectors.scope import asks_catalog
from schemas.clock import wall_ms
from schemas.codec import codec_for
from schemas.records.faults import DeadLetter

log = logging.getLogger(__name__)

NAME = "router"


class Router:
    """One router. `run` blocks until `stop`, which may be called from another thread or a signal handler."""

    def __init__(self, settings: RouterSettings) -> None:
        merge: Merge[Routed] = Merge(settings.window_s, settings.silence_s)
        self.forwarder = Forwarder(
            NAME,
            settings.cluster,
            settings.instance,
            _Routing(settings),
            merge,
            settings.commit_every_s,
            settings.batch,
            Ends(settings.cluster),
        )

    def run(self) -> None:
        """Routes until `stop`. Raises KafkaRefused, MisconfiguredService."""
        self.forwarder.run()

    def stop(self) -> None:
        """Ends `run` after the transaction at hand, within seconds."""
        self.forwarder.stop()


class _Routing:
    """What the router does with records."""

    def __init__(self, settings: RouterSettings) -> None:
        self._cluster = settings.cluster
        self._settings = settings
        self._platforms: tuple[Platform, ...] = ()
        self._names = {settings.cluster.topic(name): name for name in SOURCES}
        self._codec = codec_for(settings.cluster.schema_registry_url)
        self._sorting = Sorting(Routes(()), self._codec, self._names, wall_ms)
        self._stations: StationFollower | None = None

    def subscription(self, there: set[str]) -> list[str]:
        """The derived topics."""
        settings = self._settings
        self._platforms = taken_on(settings.platforms, settings.if_there, self._cluster, there)
        routes = Routes(self._platforms)
        self._sorting = Sorting(routes, self._codec, self._names, wall_ms)
        lanes = (lane_topic(platform.name, lane) for platform in self._platforms for lane in LANES)
        needs_catalog = asks_catalog(platform.scope for platform in self._platforms)
        catalog = (CATALOG,) if needs_catalog else ()
        needed = {self._cluster.topic(name) for name in (*SOURCES, *map(dead_letter_topic, SOURCES), *lanes, *catalog)}
        missing = sorted(needed - there)
        if missing:
            raise MisconfiguredService(f"no topic {', '.join(missing)}: run `evcs topics create`")
        if needs_catalog and self._stations is None:
            group = f"{group_of(self._cluster, NAME)}-catalog"
            self._stations = StationFollower(self._cluster, self._codec, routes.station_is, group)
        return list(self._names)

    def platforms(self) -> list[str]:
        """Those that the installation has taken on."""
        return [platform.name for platform in self._platforms]

    def begin(self, give_up: threading.Event) -> None:
        """Learns where the stations are."""
        if self._stations is not None:
            self._stations.load(give_up.is_set)

    def tend(self) -> None:
        """Learns what has changed about them."""
        if self._stations is not None:
            self._stations.follow()

    def held(self, message: Message, now: float) -> Held[Routed]:
        """Where a message goes."""
        place, routed = self._sorting.sort(message)
        return Held(partition_of(message), message.offset() or 0, place, now, routed)

    def write(self, held: Held[Routed], outputs: Outputs) -> None:
        """Puts it there."""
        routed = held.item
        for topic in routed.topics:
            if not outputs.put(topic, routed.key, routed.value, routed.timestamp):
                self._bury(self._sorting.too_large(held.partition, held.offset, routed), outputs)
                break
        if routed.letter is not None:
            self._bury(routed.letter, outputs)

    def _bury(self, letter: DeadLetter, outputs: Outputs) -> None:
        log.error("a record of %s is dead-lettered: %s", letter.topic, letter.detail)
        outputs.bury(letter)

    def close(self) -> None:
        """Leaves the catalog."""
        if self._stations is not None:
            self._stations.close()
