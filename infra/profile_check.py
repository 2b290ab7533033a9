"""What `evcs platforms check` says of profiles: what is wrong with them, and what an operator should know before
they are used. Nothing is sent, and no secret is shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from connectors.bounds import NO_BASE, is_base, is_placeholder
from connectors.platform import Platform, read_platform
from connectors.protocol.errors import BadCredentials

_PLAIN = "is plain http: who listens sees the tokens"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the file as it was given, the dotted key ("" for the whole file), why; `wrong` or only a warning."""

    file: str
    key: str
    reason: str
    wrong: bool = False

    def __str__(self) -> str:
        said = ": ".join(part for part in (self.file, self.key, self.reason) if part)
        return said if self.wrong else f"warning: {said}"


def check_profiles(
    files: Mapping[str, Traversable],
    environ: Mapping[str, str],
    secrets_must: bool = False,
    known: Mapping[str, Platform] | None = None,
) -> list[Finding]:
    """Everything there is to say of `files`, which are by the names to call them by, in that order.

    With `secrets_must`, credentials that can't be had are wrong, not only worth a warning. `known` are platforms
    that are there besides.
    """
    found: list[Finding] = []
    others = dict(known or {})
    for shown, file in files.items():
        platform, faults = read_platform(file)
        found += [Finding(shown, fault.key, fault.reason, wrong=True) for fault in faults]
        if platform is None:
            continue
        found += _addresses(shown, platform, environ)
        found += _secrets(shown, platform, environ, secrets_must)
        found += _shared_prefix(shown, platform, others)
        others[platform.name] = platform
    return found


def _addresses(shown: str, platform: Platform, environ: Mapping[str, str]) -> Iterator[Finding]:
    instead = environ.get(platform.address_variable, "")
    if instead:
        if "@" in instead or not is_base(instead):
            yield Finding(shown, platform.address_variable, NO_BASE, wrong=True)
        elif instead.startswith("http:"):
            yield Finding(shown, platform.address_variable, f"{instead} {_PLAIN}")
        return
    for target in ("test", "production"):
        address = getattr(platform.addresses, target)
        key = f"addresses.{target}"
        if not address:
            yield Finding(shown, key, f"is not given: deliver to production, or set {platform.address_variable}")
        elif is_placeholder(address):
            yield Finding(shown, key, f"{address} is a placeholder: set {platform.address_variable}")
        elif address.startswith("http:"):
            yield Finding(shown, key, f"{address} {_PLAIN}")


def _secrets(shown: str, platform: Platform, environ: Mapping[str, str], must: bool) -> Iterator[Finding]:
    names = platform.credentials
    for direction, read in (("outbound", names.outbound), ("inbound", names.inbound)):
        try:
            read(environ)
        except BadCredentials as error:
            yield Finding(shown, "credentials", f"{direction}: {error}", wrong=must)


def _shared_prefix(shown: str, platform: Platform, others: Mapping[str, Platform]) -> Iterator[Finding]:
    """A copied profile that still has the secrets of the one it was copied from."""
    prefix = platform.credentials.environment_prefix
    for other in others.values():
        if other.name != platform.name and other.credentials.environment_prefix == prefix:
            reason = f"{prefix} is {other.name}'s too: both would use the same secrets"
            yield Finding(shown, "credentials.environment_prefix", reason)
