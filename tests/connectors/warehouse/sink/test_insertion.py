"""One batch into its table: what is tried again, what is looked for, and what is given up."""

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import fastavro
import pytest
from confluent_kafka import Message

from connectors.errors import UnreadableBlock, WarehouseAway, WarehouseRefused
from connectors.warehouse.sink.batch import Batch
from connectors.warehouse.sink.insertion import REFUSED, Insertion
from connectors.warehouse.sink.letters import Letters
from connectors.warehouse.sink.metrics import Metrics
from schemas.errors import UndecodableRecord
from tests.connectors.warehouse.sink.records import TELEMETRY, forms_of, messages, payloads, sample

FORM = forms_of(TELEMETRY).of(payloads(1)[0][:5])


class Table:
    """Takes files, or what `refuses` says of their registers."""

    def __init__(self, refuses: Callable[[list[int]], Exception | None] = lambda _: None) -> None:
        self.refuses = refuses
        self.tokens: list[str] = []
        self.taken: list[int] = []
        self.settings: list[Mapping[str, str | int]] = []

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        raise NotImplementedError

    def insert(self, sql: str, data: bytes, token: str = "", settings: Mapping[str, str | int] | None = None) -> int:
        assert sql == "INSERT INTO telemetry FORMAT Avro"
        registers = [row["meter_wh"] for row in fastavro.reader(io.BytesIO(data)) if isinstance(row, dict)]
        self.tokens.append(token)
        self.settings.append(settings or {})
        problem = self.refuses(registers)
        if problem is not None:
            raise problem
        self.taken += registers
        return len(registers)


class Drawer:
    """Keeps letters."""

    def __init__(self) -> None:
        self.letters: list[tuple[int | None, str, str]] = []

    def write(self, topic: str, refused: Sequence[tuple[Message, str, str]], abandoned: threading.Event) -> bool:
        assert topic == TELEMETRY.topic
        self.letters += [(message.offset(), reason, detail) for message, reason, detail in refused]
        return not abandoned.is_set()


def batch(count: int, first: int = 0) -> Batch:
    made = Batch(TELEMETRY, (TELEMETRY.topic, 3), 0.0, FORM)
    made.messages = messages(payloads(count), first)
    made.next_offset = first + count
    return made


def insertion(table: Table, drawer: Drawer | None = None) -> Insertion:
    return Insertion(table, cast(Letters, drawer or Drawer()), Metrics(), jitter=lambda: 1.0)


def registers(*numbers: int) -> list[int]:
    return [sample(n).meter_wh for n in numbers]


def test_a_batch_goes_in_as_one_block_with_its_token() -> None:
    table = Table()
    assert insertion(table).put_in(batch(5, first=10))
    assert table.taken == registers(*range(5))
    assert [token.rsplit("/", 1)[0] for token in table.tokens] == ["charger-telemetry/3/10-14"]
    assert table.settings[0]["input_format_avro_allow_missing_fields"] == 0


def test_the_same_records_have_the_same_token_and_others_another() -> None:
    table = Table()
    for one in (batch(5), batch(5), batch(4)):
        insertion(table).put_in(one)
    other = batch(5)
    other.messages = messages(payloads(5, first=1))
    insertion(table).put_in(other)
    assert table.tokens[0] == table.tokens[1]
    assert len(set(table.tokens)) == 3


def test_while_it_is_away_the_batch_waits_and_goes_in_once_it_is_back() -> None:
    answers: list[Exception | None] = [WarehouseAway("no answer"), WarehouseAway("busy"), None]
    table = Table(lambda _: answers.pop(0))
    one = insertion(table)
    assert one.put_in(batch(3))
    assert table.taken == registers(0, 1, 2)
    assert len(set(table.tokens)) == 1
    assert not one.is_waiting


def test_an_outage_is_told_once_and_its_end(caplog: pytest.LogCaptureFixture) -> None:
    answers: list[Exception | None] = [WarehouseAway("no answer"), WarehouseAway("busy"), None, None]
    table = Table(lambda _: answers.pop(0))
    one = insertion(table)
    for _ in range(2):
        assert one.put_in(batch(3))
    assert [line.getMessage() for line in caplog.records] == [
        "ClickHouse is waited for: no answer",
        "ClickHouse is back after 0 s",
    ]


def test_one_that_is_abandoned_is_not_waited_with() -> None:
    one = batch(3)

    def away(_: list[int]) -> Exception:
        one.abandoned.set()
        return WarehouseAway("no answer")

    table = Table(away)
    inserting = insertion(table)
    assert not inserting.put_in(one)
    assert table.taken == []
    assert len(table.tokens) == 1
    assert not inserting.is_waiting


@pytest.mark.parametrize("bad", [{0}, {6}, {3}, {2, 3}, {0, 5, 6}, set(range(7))], ids=str)
def test_records_that_it_cant_read_are_found_and_the_others_go_in(bad: set[int]) -> None:
    bad_registers = set(registers(*bad))

    def refuses(there: list[int]) -> Exception | None:
        return UnreadableBlock("what is this?", 117) if bad_registers & set(there) else None

    table, drawer = Table(refuses), Drawer()
    assert insertion(table, drawer).put_in(batch(7, first=100))
    assert table.taken == registers(*sorted(set(range(7)) - bad))
    assert drawer.letters == [(100 + n, REFUSED, "what is this?") for n in sorted(bad)]


def test_a_table_that_takes_none_of_the_kind_is_no_fault_of_the_records() -> None:
    table, drawer = Table(lambda _: UnreadableBlock("no column called soc_pct", 53)), Drawer()
    with pytest.raises(WarehouseRefused, match=r"telemetry takes no telemetry\.v1.*soc_pct.*evcs warehouse migrate"):
        insertion(table, drawer).put_in(batch(7))
    assert drawer.letters == []


def test_what_it_refuses_for_good_ends_the_sink() -> None:
    table = Table(lambda _: WarehouseRefused("no rights", 497))
    with pytest.raises(WarehouseRefused):
        insertion(table).put_in(batch(2))
    assert len(table.tokens) == 1


def test_what_was_put_aside_before_is_dead_lettered_once_the_rest_is_in() -> None:
    table, drawer = Table(), Drawer()
    one = batch(2)
    (short,) = messages([b"\x00"], first=2)
    one.refused.append((short, UndecodableRecord("too short")))
    assert insertion(table, drawer).put_in(one)
    assert table.taken == registers(0, 1)
    assert drawer.letters == [(2, "undecodable", "too short")]


def test_a_batch_of_letters_alone() -> None:
    table, drawer = Table(), Drawer()
    one = Batch(TELEMETRY, (TELEMETRY.topic, 3), 0.0)
    one.refused = [(message, UndecodableRecord("nothing")) for message in messages([b""])]
    assert insertion(table, drawer).put_in(one)
    assert table.tokens == []
    assert len(drawer.letters) == 1
    one.abandoned.set()
    assert not insertion(table, drawer).put_in(one)
