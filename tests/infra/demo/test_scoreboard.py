"""The scoreboard matches what was due with what arrived, whichever comes first, and counts what is late."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.platform import load_platforms
from connectors.protocol.beijing_time import wire_time
from infra.demo.run import PLATFORM
from infra.demo.scoreboard import Line, Scoreboard, key_of
from infra.demo.view import render, summary_line
from infra.simulator.platform.ledger import Receipt
from schemas.records.derived import Derived
from tests.connectors.interfaces import records

STATUS = "notification_stationStatus"
PROGRESS = "notification_equip_charge_status"
ORDER, BONUS = "notification_charge_order_info", "notification_charge_order_info_for_bonus"
AT = 1_700_000_000_000


@pytest.fixture
def board() -> Scoreboard:
    return Scoreboard(load_platforms().platforms[PLATFORM])


def _receipt(interface: str, record: Derived, arrival_s: float) -> Receipt:
    key = key_of(record)
    payload: dict[str, Any] = {"StartChargeSeq": key}
    if interface == STATUS:
        payload = {"ConnectorStatusInfo": {"ConnectorID": key, "Status": getattr(record, "status", None)}}
    if interface == PROGRESS:
        payload |= {"EndTime": wire_time(getattr(record, "observed_at", 0))}
    return Receipt(interface, key, payload, AT / 1000 + arrival_s, 1)


def _line(board: Scoreboard, interface: str) -> tuple[int, int, int]:
    line = board.lines[interface]
    return line.due, line.confirmed, line.late


def test_a_push_in_time_is_confirmed(board: Scoreboard) -> None:
    board.record(records.STATUS, AT)
    assert (_line(board, STATUS), board.open()) == ((1, 0, 0), 1)
    board.receipt(_receipt(STATUS, records.STATUS, 0.9))
    assert (_line(board, STATUS), board.open(), board.late_examples) == ((1, 1, 0), 0, [])


@pytest.mark.parametrize(
    ("interface", "record", "limit_s"),
    [
        (STATUS, records.STATUS, 1.0),
        (PROGRESS, records.PROGRESS, 2.0),
        ("notification_start_charge_result", records.STARTED_WELL, 5.0),
        ("notification_stop_charge_result", records.STOPPED_WELL, 5.0),
        (BONUS, records.ORDER, 5.0),
    ],
)
def test_behind_the_documents_deadline_it_is_late(
    board: Scoreboard, interface: str, record: Derived, limit_s: float
) -> None:
    for delay_s in (limit_s - 0.01, limit_s + 0.01):
        board.record(record, AT)
        board.receipt(_receipt(interface, record, delay_s))
    assert _line(board, interface) == (2, 2, 1)
    assert board.late_examples == [f"{interface} of {key_of(record)}: {limit_s + 0.01:.2f} s after it was due"]


def test_a_push_may_be_seen_before_its_record(board: Scoreboard) -> None:
    board.receipt(_receipt(PROGRESS, records.PROGRESS, 0.1))
    board.record(records.PROGRESS, AT)
    assert (_line(board, PROGRESS), board.open()) == ((1, 1, 0), 0)


def test_the_nth_record_of_a_connector_is_matched_with_its_nth_push(board: Scoreboard) -> None:
    other = replace(records.STATUS, connector_id="another")
    for record, due_s in ((records.STATUS, 0), (other, 0), (records.STATUS, 10)):
        board.record(record, AT + due_s * 1000)
    board.receipt(_receipt(STATUS, records.STATUS, 0.5))
    board.receipt(_receipt(STATUS, records.STATUS, 12))
    assert (_line(board, STATUS), board.open()) == ((3, 2, 1), 1)
    assert board.lines[STATUS].delays == [pytest.approx(0.5), pytest.approx(2.0)]


def test_an_order_of_the_platforms_own_counts_when_both_interfaces_have_it(board: Scoreboard) -> None:
    order = replace(records.ORDER, charge_model=1)
    board.record(order, AT)
    assert (len(board.orders), board.open(), board.confirmed_orders()) == (1, 2, 0)
    board.receipt(_receipt(BONUS, order, 1))
    assert board.confirmed_orders() == 0
    board.receipt(_receipt(ORDER, order, 1))
    assert (board.confirmed_orders(), board.open()) == (1, 0)


def test_an_order_derived_twice_is_counted_as_repeated(board: Scoreboard) -> None:
    board.record(records.ORDER, AT)
    board.record(records.ORDER, AT)
    assert (len(board.orders), board.repeated_orders) == (1, 1)


def test_other_calls_do_not_count(board: Scoreboard) -> None:
    board.receipt(Receipt("query_token", "123456789", {"OperatorID": "123456789"}, 0.0, 1))
    assert (board.lines, board.open()) == ({}, 0)


def test_quantiles_are_of_the_newest_delays() -> None:
    line = Line(delays=[0.3, 0.1, 0.2, 0.4])
    assert (line.quantile(0.0), line.quantile(0.5), line.quantile(1.0)) == (0.1, 0.3, 0.4)
    assert Line().quantile(0.99) == 0.0


def test_the_views_show_what_the_board_knows(board: Scoreboard) -> None:
    board.record(records.STATUS, AT)
    board.receipt(_receipt(STATUS, records.STATUS, 3))
    board.troubles["dead letter: undecodable"] += 2
    assert "1 of 1 pushes confirmed, 1 late" in summary_line(board, 12.0, 3456)
    assert "12 s" in str(render(board, 12.0, 3456, "a note").title)


def test_a_state_that_a_newer_one_replaced_is_owed_no_more(board: Scoreboard) -> None:
    for status in (1, 2, 3):
        board.record(replace(records.STATUS, status=status), AT)
    board.receipt(_receipt(STATUS, replace(records.STATUS, status=2), 0.5))
    assert (board.lines[STATUS].replaced, _line(board, STATUS), board.open()) == (1, (3, 1, 0), 1)
    board.receipt(_receipt(STATUS, replace(records.STATUS, status=3), 0.6))
    assert (board.lines[STATUS].replaced, board.open()) == (1, 0)


def test_a_status_that_nobody_owes_confirms_nothing(board: Scoreboard) -> None:
    board.record(replace(records.STATUS, status=1), AT)
    board.receipt(_receipt(STATUS, replace(records.STATUS, status=4), 0.5))
    assert board.open() == 1
