"""What can go wrong with the simulated fleet.

FleetError
├── BrokerRefused      Kafka can't be reached, or did not take a record (start it, create the topics)
└── MisconfiguredFleet a setting makes no sense (change it)
"""


class FleetError(Exception):
    """Base of all errors of this package."""


class BrokerRefused(FleetError):
    """Kafka can't be reached or did not take, or give, a record."""


class MisconfiguredFleet(FleetError):
    """A setting makes no sense; the message says which and what would."""
