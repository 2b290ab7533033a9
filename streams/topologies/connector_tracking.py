"""Connector tracking: telemetry and charge events in; status, progress, results, orders and state out."""

import asyncio
from typing import Any, cast

import faust
from faust.streams import Stream
from faust.types import EventT, StreamT

from streams.services import Services
from streams.tracking import EVENTS, TELEMETRY
from streams.transport.chunk import Chunk


def install(app: faust.App, services: Services) -> None:
    """One agent for both topics, since the two are joined by connector."""
    cluster = services.settings.cluster
    source = app.topic(
        cluster.topic(TELEMETRY), cluster.topic(EVENTS), key_serializer="raw", value_serializer="raw", internal=False
    )

    @app.agent(source, name="connector-tracking", concurrency=1)  # above 1 Faust acks out of order and loses
    async def connector_tracking(stream: StreamT[Any]) -> None:
        async for event in cast(Stream[Any], stream).noack().events():
            await services.guarded(_track(event))

    async def _track(event: EventT[Any]) -> None:
        chunk = cast(Chunk, event.message.value)
        services.tracking.apply(chunk, on_safe=event.ack)
        services.output.poll()
        while services.output.congested():
            services.output.poll()
            await asyncio.sleep(0.005)
