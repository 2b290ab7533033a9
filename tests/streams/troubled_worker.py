"""`evcs streams` with a trouble of its group, which its argument names. Run by the tests."""

import sys
from itertools import count
from typing import Any

import faust
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from streams import worker
from streams.settings import StreamsSettings

#: `idle`: the group does without members which have not fetched for so long, s.
FETCHES_WITHIN_S = 3.0

#: What a heartbeat meets, once.
MET = {"fault": KafkaError("met by a heartbeat"), "refusal": GroupAuthorizationFailedError("evcs")}
_HEALTHY_HEARTBEATS = 2

_make_app = worker.make_app


def _impatient(settings: StreamsSettings) -> faust.App:
    app = _make_app(settings)
    app.conf.broker_max_poll_interval = FETCHES_WITHIN_S
    return app


def _meet(error: KafkaError) -> None:
    beat, beats = GroupCoordinator._do_heartbeat, count()

    async def heartbeat(self: GroupCoordinator) -> Any:
        if next(beats) == _HEALTHY_HEARTBEATS:
            raise error
        return await beat(self)

    GroupCoordinator._do_heartbeat = heartbeat


if __name__ == "__main__":
    if sys.argv[1] == "idle":
        worker.make_app = _impatient
    else:
        _meet(MET[sys.argv[1]])
    sys.exit(worker.run(StreamsSettings.from_env()))
