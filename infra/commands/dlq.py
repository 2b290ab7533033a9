"""`evcs dlq`: what could not be used or delivered, and sending it again."""

import base64
import json
from datetime import UTC, datetime

import click
import msgspec

from connectors.delivery.retries import SOURCE as ORDERS
from connectors.delivery.topics import LANES, dead_letter_topic, lane_topic
from infra.dead_letters import Filed, Filter, dead_letter_topics, letters, send_again
from infra.errors import OperatorError
from schemas.cluster import KafkaCluster
from schemas.codec import codec_for
from schemas.errors import UndecodableRecord


def _filters(command: "click.decorators.FC") -> "click.decorators.FC":
    for option in (
        click.option("--until", type=click.DateTime(), help="Given up before this, UTC."),
        click.option("--since", type=click.DateTime(), help="Given up at this time or later, UTC."),
        click.option("--key", default="", help="StartChargeSeq or ConnectorID, or a part of it."),
        click.option("--reason", default="", help="A reason as `evcs dlq list` shows it."),
        click.option("--platform", default="", help="Letters of this platform's lanes only."),
        click.argument("topics", nargs=-1),
    ):
        command = option(command)
    return command


@click.group("dlq")
def command() -> None:
    """What could not be used or delivered: the dead letters, each with its reason.

    Example: evcs dlq list --platform beijing
    """


@command.command("list")
@_filters
@click.option("--all", "every", is_flag=True, help="Also those that were sent again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(
    topics: tuple[str, ...],
    platform: str,
    reason: str,
    key: str,
    since: datetime | None,
    until: datetime | None,
    every: bool,
    as_json: bool,
) -> None:
    """Show dead letters, of TOPICS or of all topics, oldest first, and count them by reason.

    Example: evcs dlq list delivery-beijing-orders-dlq --reason rejected_by_platform
    """
    cluster = KafkaCluster.from_env()
    wanted = Filter(reason, key, _ms(since) or 0, _ms(until), sent_again=every, topics=_lanes(platform))
    count = 0
    for filed in letters(cluster, _topics(cluster, topics, platform), wanted):
        count += 1
        if as_json:
            click.echo(json.dumps(_as_json(filed), ensure_ascii=False))
        else:
            letter = filed.letter
            again = " (sent again)" if filed.sent_again else ""
            click.echo(
                f"{_place(filed)}  {_time(letter.failed_at)}  {letter.reason}{again}  {_key(filed)}  {letter.detail}"
            )
    click.echo(f"{count} dead letters", err=True)


@command.command()
@click.argument("place", metavar="TOPIC:PARTITION:OFFSET")
def show(place: str) -> None:
    """Show one dead letter with its record, decoded where it can be.

    Example: evcs dlq show delivery-beijing-orders-dlq:0:17
    """
    cluster = KafkaCluster.from_env()
    topic = place.partition(":")[0]
    if topic not in dead_letter_topics(cluster):
        raise OperatorError(f"{place}: there is no topic {topic}; `evcs dlq list` shows places")
    for filed in letters(cluster, [topic], Filter(sent_again=True)):
        if _place(filed) == place:
            click.echo(json.dumps(_as_json(filed) | _record(cluster, filed), ensure_ascii=False, indent=2))
            return
    raise OperatorError(f"{place}: nothing lies there; `evcs dlq list --all` shows what there is")


@command.command()
@_filters
@click.option("--yes", is_flag=True, help="Send without asking.")
@click.option("--dry-run", is_flag=True, help="Only count.")
def redrive(
    topics: tuple[str, ...],
    platform: str,
    reason: str,
    key: str,
    since: datetime | None,
    until: datetime | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Send the records of dead letters again: to their lane, or to the topic that they came from.

    Each letter is sent again once; say --all to `evcs dlq list` to see those that were.

    Example: evcs dlq redrive --platform beijing --reason rejected_by_platform --yes
    """
    cluster = KafkaCluster.from_env()
    wanted = Filter(reason, key, _ms(since) or 0, _ms(until), topics=_lanes(platform))
    chosen = list(letters(cluster, _topics(cluster, topics, platform), wanted))
    if dry_run or not chosen:
        click.echo(f"{len(chosen)} dead letters would be sent again")
        return
    if not yes:
        click.confirm(f"Send {len(chosen)} records again?", abort=True)
    done = send_again(cluster, chosen, lambda count: click.echo(f"{count} of {len(chosen)}", err=True))
    click.echo(f"{done} records were sent again")


def _topics(cluster: KafkaCluster, named: tuple[str, ...], platform: str) -> list[str]:
    there = dead_letter_topics(cluster)
    for topic in named:
        if topic not in there:
            raise OperatorError(f"there is no topic {topic!r}: there are {', '.join(there) or 'no dead-letter topics'}")
    chosen = list(named) or there
    if platform:
        lanes = {dead_letter_topic(lane) for lane in _lanes(platform)}
        if lanes.isdisjoint(there):
            raise OperatorError(f"no dead-letter topic of platform {platform!r}: run `evcs topics create`")
        # What the retry scheduler gives up lies with all orders'.
        chosen = [topic for topic in chosen if topic in lanes or topic == dead_letter_topic(ORDERS)]
    return chosen


def _lanes(platform: str) -> frozenset[str]:
    return frozenset(lane_topic(platform, lane) for lane in LANES) if platform else frozenset()


def _place(filed: Filed) -> str:
    return "{}:{}:{}".format(*filed.place)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _key(filed: Filed) -> str:
    return (filed.letter.key or b"").decode(errors="replace")


def _as_json(filed: Filed) -> dict[str, object]:
    letter = filed.letter
    return {
        "place": _place(filed),
        "reason": letter.reason,
        "detail": letter.detail,
        "interface": filed.parcel.interface,
        "key": _key(filed),
        "source": f"{letter.topic}:{letter.partition}:{letter.offset}",
        "recorded_at": _time(letter.recorded_at),
        "failed_at": _time(letter.failed_at),
        "sent_again": filed.sent_again,
    }


def _record(cluster: KafkaCluster, filed: Filed) -> dict[str, object]:
    value = filed.letter.value
    if value is None:
        return {"record": None}
    try:
        record = codec_for(cluster.schema_registry_url).decode(value)
    except UndecodableRecord as error:
        return {"undecodable": str(error), "base64": base64.b64encode(value).decode()}
    return {"type": type(record).__name__, "record": msgspec.to_builtins(record)}
