"""`evcs topics`: make and check the declared topics."""

import sys

import click

from infra.topic_admin import create_topics, differences
from schemas.cluster import KafkaCluster
from schemas.topic import all_topics


@click.group("topics")
def command() -> None:
    """Make and check the topics that `schemas/topics` declares."""


@command.command()
@click.option("--replication", type=click.IntRange(1), help="replicas, instead of the files' (at most the brokers)")
def create(replication: int | None) -> None:
    """Make the topics that are missing.

    Example: evcs topics create --replication 1
    """
    made, there = create_topics(KafkaCluster.from_env(), replication)
    for name in made:
        click.echo(f"made {name}")
    click.echo(f"{len(made)} made, {len(there)} were there")


@command.command()
def verify() -> None:
    """Compare the cluster's topics with the files; exit status 1 if they differ.

    Example: evcs topics verify
    """
    found = differences(KafkaCluster.from_env())
    for sentence in found:
        click.echo(sentence)
    if found:
        sys.exit(1)
    click.echo(f"all {len(all_topics())} topics are as declared")


@command.command("list")
def list_() -> None:
    """Show the declared topics.

    Example: evcs topics list
    """
    for topic in all_topics().values():
        click.echo(f"{topic.name:26} key {topic.key:15} {topic.partitions} partitions, {topic.cleanup}: {topic.why}")
