"""What ends a worker.

StreamsError
├── OutputLost           the broker did not take an output: the worker stops before the ack and starts over
├── BrokerAway           no broker answered when the worker started
├── RecoveryFailed       a partition's state could not be read back
└── MisconfiguredStreams a setting or topic is wrong (fix it and start again)
"""


class StreamsError(Exception):
    """Base of all errors of this package."""


class OutputLost(StreamsError):
    """An output could not be delivered within the producer's time; names topic and cause."""


class BrokerAway(StreamsError):
    """No broker answered when the worker started, for as long as it waits; names the address."""


class RecoveryFailed(StreamsError):
    """A partition's state could not be read back."""


class MisconfiguredStreams(StreamsError):
    """A setting or a topic is wrong; says which and what to do."""
