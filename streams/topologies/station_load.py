"""Station load: telemetry in; what each connector adds to its station's load in each minute out."""

from typing import Any, cast

import faust
from faust.streams import Stream
from faust.types import EventT, StreamT

from streams.loads import Loads
from streams.services import Services
from streams.tracking import TELEMETRY
from streams.transport.chunk import Chunk


def install(app: faust.App, services: Services) -> None:
    """One agent. Nothing is recovered: loads of a part of a minute merge with those of the rest."""
    loads = Loads(services.settings, services.output)
    services.tick, services.save, services.figures = loads.tick, loads.save, loads.figures
    source = app.topic(
        services.settings.cluster.topic(TELEMETRY), key_serializer="raw", value_serializer="raw", internal=False
    )

    @app.agent(source, name="station-load", concurrency=1)  # above 1 Faust acks out of order and loses
    async def station_load(stream: StreamT[Any]) -> None:
        async for event in cast(Stream[Any], stream).noack().events():
            await services.guarded(_add(event))

    async def _add(event: EventT[Any]) -> None:
        loads.apply(cast(Chunk, event.message.value), on_safe=event.ack)
        await services.room()

    @app.on_rebalance_complete.connect
    async def assigned(sender: Any, /, *args: Any, signal: Any, **kwargs: Any) -> None:
        services.takes(tp.partition for tp in app.consumer.assignment())
