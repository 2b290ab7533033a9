"""What ends a service of ours; what can go wrong with one push or one call is in `connectors.protocol.errors`.

ConnectorsError
├── MisconfiguredService  an unknown platform, a missing secret or a wrong setting (fix it and start again)
├── KafkaRefused          the Kafka cluster refuses the service for good (rights)
│   └── PlaceTaken        another process has taken this one's place
├── UnreadableBook        what the nightly check has fixed is not known, so nothing may be fixed (fix it)
└── WarehouseError        ClickHouse did not do what it was asked
    ├── WarehouseAway     it can't now: the network, too many queries, memory (passes: try again)
    ├── WarehouseRefused  it won't: rights, an unknown table, bad SQL (fix it)
    └── UnreadableBlock   it can't take the data of this insert (the same data fails again, a part of it may not)
"""


class ConnectorsError(Exception):
    """Base of this package's errors outside the protocol."""


class MisconfiguredService(ConnectorsError):
    """A setting is wrong; says which and what to do."""


class KafkaRefused(ConnectorsError):
    """A fault of the Kafka cluster that does not pass by itself."""


class PlaceTaken(KafkaRefused):
    """Another process works in this one's place, which must write no more."""


class UnreadableBook(ConnectorsError):
    """A record of what the nightly check has fixed can't be read: an order could be told of twice."""


class WarehouseError(ConnectorsError):
    """ClickHouse did not do what it was asked; `code` is its own number for why, None where it gave none.

    After WarehouseAway an insert may have been done all the same: repeat it with the same token.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class WarehouseAway(WarehouseError):
    """ClickHouse does not answer, or can't do it now; this passes."""


class WarehouseRefused(WarehouseError):
    """ClickHouse refuses what was asked, and will again."""


class UnreadableBlock(WarehouseError):
    """The data of an insert can't be read as what the table has; none of its last block was kept."""
