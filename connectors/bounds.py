"""What a setting of a platform's profile may be: the shapes and bounds that its tables are checked by."""

import math
import re
from urllib.parse import urlsplit

import httpx

#: No wait between two attempts is longer: an order that is a day late was not looked after.
RUNG_MAX_S = 86_400

#: A ladder longer than this says nothing that its last rung does not, and each new rung is a topic.
RUNGS_MAX = 32

NO_LADDER = f"must be 1 to {RUNGS_MAX} rungs of 1 to {RUNG_MAX_S} that never go down"
NO_BASE = "is no http address that ends with a slash"


class BadSettings(ValueError):
    """What is wrong in one table: each setting's name and why."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{name} {reason}" for name, reason in faults))
        self.faults = faults


def require(*claims: tuple[bool, str, str]) -> None:
    """Raises BadSettings with the setting and the reason of every claim that does not hold."""
    faults = [(name, reason) for holds, name, reason in claims if not holds]
    if faults:
        raise BadSettings(*faults)


def is_positive(value: float, most: float = math.inf) -> bool:
    """Above 0, at most `most`, and a number: TOML has nan and inf."""
    return math.isfinite(value) and 0 < value <= most


def is_ladder(rungs: tuple[int, ...]) -> bool:
    """Waits in seconds that may follow each other."""
    in_bounds = 0 < len(rungs) <= RUNGS_MAX and all(1 <= rung <= RUNG_MAX_S for rung in rungs)
    return in_bounds and list(rungs) == sorted(rungs)


def is_prefix(text: str) -> bool:
    """The first part of the names of environment variables."""
    return re.fullmatch(r"[A-Z][A-Z0-9_]*_", text) is not None


def is_path(text: str) -> bool:
    """What may follow a base address."""
    return re.fullmatch(r"[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*", text) is not None


def is_path_base(text: str) -> bool:
    """What may come before the paths of a server's interfaces."""
    return text == "/" or (text.startswith("/") and text.endswith("/") and is_path(text[1:-1]))


def is_base(address: str) -> bool:
    """An address that paths can be appended to."""
    try:
        parts = urlsplit(address)
        sound = bool(parts.hostname) and parts.port != 0
        _ = httpx.URL(address).host
    except (ValueError, httpx.InvalidURL):  # a port that is none, half an IPv6 address, a host that can't be
        return False
    return sound and re.fullmatch(r"https?://[^\s?#]+/", address) is not None


def is_placeholder(address: str) -> bool:
    """Whether the host is under `.invalid`, which no network has (RFC 2606)."""
    host = urlsplit(address).hostname or ""
    return host == "invalid" or host.endswith(".invalid")
