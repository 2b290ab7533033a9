"""What must hold between an answer's fields, and between the answer and its question, once its fields are sound.

The rules of pushes, in `rules`, are used again where the answer is what is pushed as well; those of answers that list
stations are in `station_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from infra.simulator.platform import dialect as names
from infra.simulator.platform import queries as q
from infra.simulator.platform.dialect import Dialect
from infra.simulator.platform.errors import Flaw, Kind
from infra.simulator.platform.rules import Rule, build_rules
from infra.simulator.platform.station_rules import (
    AnswerRule,
    page_fits,
    stations_once,
    stations_placed,
    stats_add_up,
    stats_asked_for,
    statuses_asked_for,
)
from infra.simulator.platform.wire_json import Payload

MIDNIGHT = "000000"
SUCCEEDED = 0
"""SuccStat 成功."""


def echoes(*fields: str) -> AnswerRule:
    """These fields are as they were asked."""

    def rule(asked: Payload, answered: Payload) -> Iterator[Flaw]:
        for name in fields:
            if answered[name] != asked[name]:
                yield Flaw(Kind.ECHO, name, f"{answered[name]} but {asked[name]} was asked for")

    return rule


def alone(rule: Rule) -> AnswerRule:
    """A rule that does not look at the question."""
    return lambda _, answered: rule(answered)


def reason_fits(answered: Payload) -> Iterator[Flaw]:
    """FailReason is 0, 无, with a success, and with nothing else."""
    if (answered["SuccStat"] == SUCCEEDED) != (answered["FailReason"] == 0):
        yield Flaw(Kind.ARITHMETIC, "FailReason", f"{answered['FailReason']} with SuccStat {answered['SuccStat']}")


def token_given(answered: Payload) -> Iterator[Flaw]:
    """A success has a token and a time, a refusal neither."""
    for name in ("AccessToken", "TokenAvailableTime"):
        if bool(answered[name]) != (answered["SuccStat"] == SUCCEEDED):
            yield Flaw(Kind.ARITHMETIC, name, f"does not go with SuccStat {answered['SuccStat']}")


def day_is_covered(answered: Payload) -> Iterator[Flaw]:
    """SumPeriod periods, the first from midnight, each later than the one before; none only without a policy."""
    starts = [info["StartTime"] for info in answered["PolicyInfos"]]
    if answered["SumPeriod"] != len(starts):
        yield Flaw(Kind.ARITHMETIC, "SumPeriod", f"{answered['SumPeriod']} but PolicyInfos has {len(starts)}")
    if starts and starts[0] != MIDNIGHT:
        yield Flaw(Kind.TIME, "PolicyInfos[0].StartTime", f"{starts[0]} but a day begins at {MIDNIGHT}")
    if not starts and answered["SuccStat"] == SUCCEEDED:
        yield Flaw(Kind.ARITHMETIC, "PolicyInfos", "is empty with SuccStat 0")
    for index, (before, start) in enumerate(pairwise(starts), 1):
        if start <= before:
            yield Flaw(Kind.TIME, f"PolicyInfos[{index}].StartTime", f"{start} is not after {before}")


def build_response_rules(dialect: Dialect) -> dict[str, tuple[AnswerRule, ...]]:
    """The rules of every query interface in the dialect's spelling."""
    reason, charge = alone(reason_fits), echoes("StartChargeSeq")
    return {
        names.QUERY_TOKEN: (echoes("OperatorID"), reason, alone(token_given)),
        q.QUERY_STATIONS: (echoes("PageNo"), page_fits, stations_once, stations_placed),
        q.QUERY_STATUSES: (statuses_asked_for,),
        q.QUERY_STATS: (stats_asked_for, stats_add_up),
        q.QUERY_AUTH: (echoes("EquipAuthSeq", "ConnectorID"), reason),
        q.QUERY_POLICY: (echoes("EquipBizSeq", "ConnectorID"), reason, alone(day_is_covered)),
        q.QUERY_START: (echoes("StartChargeSeq", "ConnectorID"), reason),
        q.QUERY_STOP: (charge, reason),
        q.QUERY_CHARGE: (charge, *map(alone, build_rules(dialect)[names.CHARGE_STATUS])),
    }
