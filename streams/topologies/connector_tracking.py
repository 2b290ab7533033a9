"""Connector tracking: telemetry and charge events in; status, progress, results, orders and state out."""

from typing import Any, cast

import faust
from faust.streams import Stream
from faust.types import TP, EventT, StreamT

from streams.catalog import CatalogReader
from streams.recovery import follow_assignments
from streams.services import Services
from streams.tracking import EVENTS, TELEMETRY, Tracking
from streams.transport.chunk import Chunk


def install(app: faust.App, services: Services) -> None:
    """One agent for both topics, since the two are joined by connector."""
    cluster = services.settings.cluster
    tracking = Tracking(services.settings, services.output)
    catalog = CatalogReader(cluster, tracking.codec, tracking.put_station)
    services.tick, services.save, services.figures = lambda: tracking.tick(at_end), tracking.save, tracking.figures
    follow_assignments(app, services, tracking, catalog)
    source = app.topic(
        cluster.topic(TELEMETRY), cluster.topic(EVENTS), key_serializer="raw", value_serializer="raw", internal=False
    )

    @app.agent(source, name="connector-tracking", concurrency=1)  # above 1 Faust acks out of order and loses
    async def connector_tracking(stream: StreamT[Any]) -> None:
        async for event in cast(Stream[Any], stream).noack().events():
            await services.guarded(_track(event))

    async def _track(event: EventT[Any]) -> None:
        tracking.apply(cast(Chunk, event.message.value), on_safe=event.ack)
        await services.room()

    @app.task  # type: ignore[untyped-decorator]
    async def follow_catalog() -> None:
        await catalog.follow(lambda: app.should_stop)

    def at_end(topic: str, number: int, processed: int) -> bool:
        """Whether nothing is left behind the offset `processed`."""
        done: bool = app.consumer.at_end(TP(topic, number), processed)  # type: ignore[attr-defined]
        return done
