"""What an operator needs to report to a simulated platform: a profile, and the environment that goes with it."""

from collections.abc import Mapping

from infra.simulator.platform.settings import (
    DEMO_INBOUND_DATA_IV,
    DEMO_INBOUND_DATA_SECRET,
    DEMO_INBOUND_OPERATOR_SECRET,
    DEMO_INBOUND_SIG_SECRET,
    DEMO_OPERATOR_ID,
    DEMO_PLATFORM_ID,
    DEMO_SECRET,
)

_SECRETS = ("OPERATOR_SECRET", "DATA_SECRET", "DATA_SECRET_IV", "SIG_SECRET")
_INBOUND_SECRETS = {
    "INBOUND_OPERATOR_SECRET": DEMO_INBOUND_OPERATOR_SECRET,
    "INBOUND_DATA_SECRET": DEMO_INBOUND_DATA_SECRET,
    "INBOUND_DATA_SECRET_IV": DEMO_INBOUND_DATA_IV,
    "INBOUND_SIG_SECRET": DEMO_INBOUND_SIG_SECRET,
}

_PROFILE = """
title = "{name}"
[addresses]
production = "http://{name}.invalid/evcs/20160701/"
test = "http://{name}.invalid/evcs/20160701/"
[credentials]
environment_prefix = "{prefix}"
[interfaces.query_token]
deadline_s = 1
"""


def _prefix(name: str) -> str:
    return f"EVCS_{name.upper().replace('-', '_')}_"


def platform_environment(name: str, base_url: str, platform_id: str = DEMO_PLATFORM_ID) -> dict[str, str]:
    """The address and the public test secrets of the platform of this name, for pushes to it and for its calls.

    `platform_id` is the OperatorID of its calls: of several platforms each has its own.
    """
    prefix = _prefix(name)
    outbound = {"ADDRESS": f"{base_url}/", "OPERATOR_ID": DEMO_OPERATOR_ID, **dict.fromkeys(_SECRETS, DEMO_SECRET)}
    known = {**outbound, "INBOUND_OPERATOR_ID": platform_id, **_INBOUND_SECRETS}
    return {prefix + variable: value for variable, value in known.items()}


def platform_profile(name: str, deadlines_s: Mapping[str, int], retry: Mapping[str, object]) -> str:
    """A profile's TOML: with these interfaces, each with its deadline, and these settings of `[retry]`."""
    interfaces = "".join(f"[interfaces.{interface}]\ndeadline_s = {s}\n" for interface, s in deadlines_s.items())
    settings = "".join(f"{key} = {value}\n" for key, value in retry.items())
    return f"{_PROFILE.format(name=name, prefix=_prefix(name))}{interfaces}[retry]\n{settings}"
