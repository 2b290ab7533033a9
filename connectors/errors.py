"""What ends a service of ours; what can go wrong with one push or one call is in `connectors.protocol.errors`.

ConnectorsError
├── MisconfiguredService  an unknown platform, a missing secret or a wrong setting (fix it and start again)
└── KafkaRefused          the Kafka cluster refuses the service for good (rights, a fenced client)
"""


class ConnectorsError(Exception):
    """Base of this package's errors outside the protocol."""


class MisconfiguredService(ConnectorsError):
    """A setting is wrong; says which and what to do."""


class KafkaRefused(ConnectorsError):
    """A fault of the Kafka cluster that does not pass by itself."""
