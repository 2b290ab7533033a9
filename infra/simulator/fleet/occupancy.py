"""What ParkStatus and LockStatus go with a connector's status: the parking space and its ground lock."""

from schemas.values import ConnectorStatus

_UNKNOWN, _FREE, _TAKEN = 0, 10, 50
_UNLOCKED, _LOCKED = 10, 50

#: T/CEC 102 ParkStatus (0 unknown, 10 free, 50 taken) and LockStatus (0 unknown, 10 unlocked, 50 locked).
PARK_AND_LOCK: dict[ConnectorStatus, tuple[int, int]] = {
    ConnectorStatus.IDLE: (_FREE, _UNLOCKED),
    ConnectorStatus.RESERVED: (_FREE, _LOCKED),
    ConnectorStatus.PLUGGED: (_TAKEN, _UNLOCKED),
    ConnectorStatus.CHARGING: (_TAKEN, _LOCKED),
    ConnectorStatus.FAULT: (_UNKNOWN, _UNKNOWN),
}
