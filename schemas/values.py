"""Values that several records share, as T/CEC 102 numbers them."""

from enum import IntEnum


class ConnectorStatus(IntEnum):
    """Status of a connector, T/CEC 102 `Status`."""

    OFFLINE = 0
    IDLE = 1
    PLUGGED = 2
    CHARGING = 3
    RESERVED = 4
    FAULT = 255


class ChargeModel(IntEnum):
    """What started a charge, `ChargeModel` (Beijing V1.1 §2.2.1)."""

    UNKNOWN = 0
    CITY_PLATFORM = 1
    CARD = 2
    OTHER = 3


class ChargeStat(IntEnum):
    """Where a charge stands, T/CEC 102 `StartChargeSeqStat`."""

    STARTING = 1
    CHARGING = 2
    STOPPING = 3
    ENDED = 4
    UNKNOWN = 5


class StopReason(IntEnum):
    """Why a charge ended, T/CEC 102 `StopReason`; 5 to 99 are the operator's own."""

    USER = 0
    PLATFORM = 1
    BMS = 2
    EQUIPMENT_FAULT = 3
    UNPLUGGED = 4
    NOT_REPORTED = 99
