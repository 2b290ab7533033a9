"""What ends a delivery service; what can go wrong with one push is in `connectors.protocol.errors`.

ConnectorsError
├── MisconfiguredDelivery an unknown platform, a missing secret or a wrong setting (fix it and start again)
└── KafkaRefused          the Kafka cluster refuses the service for good (rights, a fenced client)
"""


class ConnectorsError(Exception):
    """Base of this package's errors outside the protocol."""


class MisconfiguredDelivery(ConnectorsError):
    """A setting is wrong; says which and what to do."""


class KafkaRefused(ConnectorsError):
    """A fault of the Kafka cluster that does not pass by itself."""
