"""`evcs streams` with a trouble of its group, which its argument names. Run by the tests."""

import sys
from itertools import count
from typing import Any

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from streams import worker
from streams.settings import StreamsSettings

#: `idle`: for so long nothing has been fetched, s.
IDLE_S = 1_000_000.0

#: A worker's heartbeats are so far apart, and what is wrong with its membership shows by one, s.
HEARTBEAT_S = 1.5

#: What a heartbeat meets, once.
MET = {"fault": KafkaError("met by a heartbeat"), "refusal": GroupAuthorizationFailedError("evcs")}
_HEALTHY_HEARTBEATS = 2


def _meet(error: KafkaError) -> None:
    beat, beats = GroupCoordinator._do_heartbeat, count()

    async def heartbeat(self: GroupCoordinator) -> Any:
        if next(beats) == _HEALTHY_HEARTBEATS:
            raise error
        return await beat(self)

    GroupCoordinator._do_heartbeat = heartbeat


if __name__ == "__main__":
    if sys.argv[1] == "idle":
        SubscriptionState.fetcher_idle_time = property(lambda self: IDLE_S)
    else:
        _meet(MET[sys.argv[1]])
    sys.exit(worker.run(StreamsSettings.from_env()))
