"""`evcs platform`: the simulated city platform as a process of its own, and its calls to an operator one by one."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace

import click

from infra.commands._platform_call import call
from infra.simulator.platform.dialect import CITIES, Spelling
from infra.simulator.platform.errors import CryptoError
from infra.simulator.platform.ledger import Ledger
from infra.simulator.platform.server import CityPlatform
from infra.simulator.platform.settings import (
    DEMO_OPERATOR_ID,
    DEMO_SECRET,
    TOKEN_AVAILABLE_S,
    PlatformSettings,
)

EPILOG = """\b
Example:
  evcs platform run --port 18080
  evcs platform run --port 18081 --city chengdu
  curl http://127.0.0.1:18080/_control/ledger
  curl -d '[{"kind": "ret-busy", "count": 3}]' http://127.0.0.1:18080/_control/faults
  curl -d '{"MA7L4KFB0202603010000000001": 2}' http://127.0.0.1:18080/_control/contest
"""


@click.group("platform")
def command() -> None:
    """The simulated city supervision platform, a strict receiver and a strict caller.

    Example: evcs platform run --port 18080
    """


command.add_command(call)


@command.command(epilog=EPILOG)
@click.option(
    "--port",
    default=18080,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@click.option("--operator-id", default=DEMO_OPERATOR_ID, show_default=True, help="The only operator it knows.")
@click.option("--operator-secret", default=DEMO_SECRET, help="OperatorSecret of query_token.")
@click.option("--data-secret", default=DEMO_SECRET, help="DataSecret, 16 characters.")
@click.option("--data-secret-iv", default=DEMO_SECRET, help="DataSecretIV, 16 characters.")
@click.option("--sig-secret", default=DEMO_SECRET, help="SigSecret.")
@click.option(
    "--token-seconds", default=TOKEN_AVAILABLE_S, show_default=True, type=click.IntRange(1), help="Life of a token."
)
@click.option("--city", type=click.Choice(sorted(CITIES)), default="beijing", show_default=True, help="What it plays.")
@click.option("--base-path", help="Path of the interfaces, instead of the city's.")
@click.option(
    "--spelling",
    type=click.Choice([spelling.value for spelling in Spelling]),
    help="How the service's money is spelt, instead of the city's.",
)
@click.option("--counts-only", is_flag=True, help="Keep counts, not payloads, for long runs.")
def run(
    port: int,
    operator_id: str,
    operator_secret: str,
    data_secret: str,
    data_secret_iv: str,
    sig_secret: str,
    token_seconds: int,
    city: str,
    base_path: str | None,
    spelling: str | None,
    counts_only: bool,
) -> None:
    """Receive an operator's pushes until interrupted, and judge them strictly.

    Without options it plays Beijing with the public test secrets.
    """
    dialect = CITIES[city]
    if base_path is not None:
        dialect = replace(dialect, base_path=base_path.rstrip("/"))
    if spelling is not None:
        dialect = replace(dialect, spelling=Spelling(spelling))
    settings = PlatformSettings(
        operator_id=operator_id,
        operator_secret=operator_secret,
        data_secret=data_secret,
        data_iv=data_secret_iv,
        sig_secret=sig_secret,
        port=port,
        token_available_s=token_seconds,
        dialect=dialect,
    )
    try:
        platform = CityPlatform(settings, ledger=Ledger(counts_only=counts_only))
    except CryptoError as error:
        raise click.UsageError(str(error)) from error
    asyncio.run(_serve(platform))


async def _serve(platform: CityPlatform) -> None:
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    await platform.start()
    click.echo(f"The simulated platform listens at {platform.base_url}/ for {platform.settings.operator_id}")
    click.echo(f"Its ledger is at {platform.control_url}/ledger")
    await interrupted.wait()
    await platform.stop()
