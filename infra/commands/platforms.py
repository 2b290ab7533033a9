"""`evcs platforms`: show and check the platforms' profiles."""

import os
import sys
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from connectors.platform import OWN_PROFILES, Platform, load_platforms, profile_files
from connectors.policies import InterfacePolicy, Scope
from infra.profile_check import Finding, check_profiles


@click.group("platforms")
def command() -> None:
    """The platforms' profiles: the packaged ones, and those in the folder that EVCS_PLATFORMS names.

    Example: evcs platforms check
    """


@command.command("list")
def list_() -> None:
    """Show every platform: its addresses, scope, ladder and interfaces.

    Example: evcs platforms list
    """
    platforms, faults = load_platforms()
    for platform in platforms.values():
        click.echo(f"{platform.name}: {platform.title}")
        for name, value in _described(platform):
            click.echo(f"  {name:12}{value}")
    for fault in faults:
        click.echo(f"error: {fault}", err=True)


@command.command()
@click.argument("profiles", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))
@click.option("--secrets", is_flag=True, help="Secrets that are missing in the environment are errors, too.")
def check(profiles: tuple[Path, ...], secrets: bool) -> None:
    """Check the profiles FILE…, or all there are: one line for each fault, `file: key: reason`.

    Warns of plain http, of placeholders and of secrets that are not in the environment. Exit status 1 if any is wrong.

    Example: evcs platforms check my-platforms/shanghai.toml
    """
    listed, found = ({str(profile): profile for profile in profiles}, []) if profiles else _all()
    found += check_profiles(listed, os.environ, secrets, load_platforms().platforms if profiles else {})
    for finding in found:
        click.echo(finding)
    wrong = {finding.file for finding in found if finding.wrong}
    if wrong:
        click.echo(f"{len(wrong)} of {len(listed.keys() | wrong)} wrong", err=True)
        sys.exit(1)
    click.echo(f"right: {', '.join(listed)}")


def _all() -> tuple[dict[str, Traversable], list[Finding]]:
    """All profiles by the name to call them by, and what is wrong with the operator's folder."""
    files, faults = profile_files()
    own = os.environ.get(OWN_PROFILES, "")
    shown = {
        str(file) if own and file == Path(own) / file.name else file.name: file  # a packaged one by its name alone
        for file in files.values()
    }
    return shown, [Finding(fault.file, fault.key, fault.reason, wrong=True) for fault in faults]


def _described(platform: Platform) -> Iterator[tuple[str, str]]:
    addresses = platform.addresses
    if os.environ.get(platform.address_variable):
        yield "address", f"as {platform.address_variable} says"
    else:
        yield "test", addresses.test or "none"
        yield "production", addresses.production
    yield "scope", _scope(platform.scope)
    yield "ladder", f"{_rungs(platform.retry.ladder_s)}, the last again and again"
    for name in sorted(platform.interfaces):
        if platform.is_on(name):
            yield "on", f"{name}{_policy(platform.interfaces[name])}"
    off = [name for name in sorted(platform.interfaces) if not platform.is_on(name)]
    if off:
        yield "off", ", ".join(off)


def _scope(scope: Scope) -> str:
    named = {"operators": sorted(scope.operators), "areas": list(scope.areas), "stations": sorted(scope.stations)}
    return "; ".join(f"{what} {', '.join(values)}" for what, values in named.items() if values) or "every station"


def _policy(policy: InterfacePolicy) -> str:
    said = [f"within {policy.deadline_s:g} s"]
    if policy.cadence_s is not None:
        said.append(f"every {policy.cadence_s:g} s")
    if policy.ladder_s is not None:
        said.append(f"ladder {_rungs(policy.ladder_s)}")
    if policy.path:
        said.append(f"as {policy.path}")
    return f" ({', '.join(said)})"


def _rungs(ladder_s: tuple[int, ...]) -> str:
    return f"{'/'.join(map(str, ladder_s))} s"
