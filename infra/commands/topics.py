"""`evcs topics`: make and check the declared topics."""

import sys

import click

from connectors.platform import load_platforms
from infra.topic_admin import create_topics, declared_topics, differences
from schemas.cluster import KafkaCluster

_platform = click.option(
    "--platform", "platforms", multiple=True, help="leave out the topics of other platforms than this; repeatable"
)


@click.group("topics")
def command() -> None:
    """Make and check the topics that `schemas/topics` declares, and those that follow from the platforms' profiles.

    Example: evcs topics create
    """


@command.command()
@click.option("--replication", type=click.IntRange(1), help="replicas, instead of the files' (at most the brokers)")
@_platform
def create(replication: int | None, platforms: tuple[str, ...]) -> None:
    """Make the topics that are missing.

    Example: evcs topics create --replication 1 --platform beijing
    """
    _tell_bad_profiles(platforms)
    made, there = create_topics(KafkaCluster.from_env(), replication, declared_topics(platforms))
    for name in made:
        click.echo(f"made {name}")
    click.echo(f"{len(made)} made, {len(there)} were there")


@command.command()
@_platform
def verify(platforms: tuple[str, ...]) -> None:
    """Compare the cluster's topics with the declared ones; exit status 1 if they differ.

    Example: evcs topics verify
    """
    _tell_bad_profiles(platforms)
    topics = declared_topics(platforms)
    found = differences(KafkaCluster.from_env(), topics)
    for sentence in found:
        click.echo(sentence)
    if found:
        sys.exit(1)
    click.echo(f"all {len(topics)} topics are as declared")


@command.command("list")
@_platform
def list_(platforms: tuple[str, ...]) -> None:
    """Show the declared topics.

    Example: evcs topics list
    """
    _tell_bad_profiles(platforms)
    for topic in declared_topics(platforms):
        click.echo(f"{topic.name:28} key {topic.key:15} {topic.partitions} partitions, {topic.cleanup}: {topic.why}")


def _tell_bad_profiles(platforms: tuple[str, ...]) -> None:
    """A platform whose profile is wrong keeps no other from its topics, but is not passed over in silence."""
    for fault in () if platforms else load_platforms().faults:
        click.echo(f"warning: {fault}: this platform's topics are left out", err=True)
