"""What ClickHouse's errors mean: by its number, by the HTTP status, by what the connection met."""

import ssl

import pytest

from connectors.errors import UnreadableBlock, WarehouseAway, WarehouseError, WarehouseRefused
from connectors.warehouse.answer import BrokenOff
from connectors.warehouse.failures import IN_THE_DATA, PASSING, failure

URL = "http://clickhouse-1:8123"
NETWORK = (OSError,)


def of_code(code: int, inserting: bool = False) -> WarehouseError:
    text = (
        f"Received ClickHouse exception, code: {code}, server response: Code: {code}. DB::Exception: Told. (NAME) "
        f"(version 26.9.2.1 (official build)) (for url {URL})"
    )
    return failure(Exception(text), code, URL, inserting=inserting, network=NETWORK)


@pytest.mark.parametrize("code", [159, 202, 241, 252, 999])
def test_what_passes(code: int) -> None:
    for inserting in (False, True):
        assert isinstance(of_code(code, inserting), WarehouseAway)


@pytest.mark.parametrize("code", [27, 33, 117, 349, 1001])
def test_what_lies_in_the_data_of_an_insert(code: int) -> None:
    assert isinstance(of_code(code, inserting=True), UnreadableBlock)
    assert isinstance(of_code(code), WarehouseRefused)


def test_rows_of_too_many_partitions_lie_in_the_data() -> None:
    text = "Too many partitions for single INSERT block (more than 100). The limit is controlled by … (TOO_MANY_PARTS)"
    told = failure(Exception(text), 252, URL, inserting=True, network=NETWORK)
    assert isinstance(told, UnreadableBlock)


@pytest.mark.parametrize("code", [16, 47, 60, 62, 81, 164, 497, 12345])
def test_what_is_refused(code: int) -> None:
    for inserting in (False, True):
        assert isinstance(of_code(code, inserting), WarehouseRefused)


def test_no_number_means_two_things() -> None:
    assert not PASSING & IN_THE_DATA


def test_the_message_is_clickhouses_without_the_drivers_noise() -> None:
    error = of_code(60)
    assert str(error) == f"ClickHouse at {URL}: Told. (NAME)"
    assert error.code == 60


def test_a_stranger_is_told_what_to_set() -> None:
    assert str(of_code(516)).endswith("set EVCS_CLICKHOUSE_USER and EVCS_CLICKHOUSE_PASSWORD")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (502, WarehouseAway),
        (503, WarehouseAway),
        (429, WarehouseAway),
        (404, WarehouseRefused),
        (401, WarehouseRefused),
    ],
)
def test_a_proxys_answers(status: int, kind: type[WarehouseError]) -> None:
    error = failure(
        Exception(f"HTTP driver received HTTP status {status}, server response: <html>"),
        None,
        URL,
        inserting=False,
        network=NETWORK,
    )
    assert isinstance(error, kind)
    assert error.code is None


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def test_an_answer_that_is_not_whole() -> None:
    for error, kind, told in (
        (BrokenOff("the answer broke off: gone"), WarehouseAway, "the answer broke off: gone"),
        (BrokenOff("Timeout exceeded", 159), WarehouseAway, "Timeout exceeded"),
        (BrokenOff("Cannot parse", 6), WarehouseRefused, "Cannot parse"),
    ):
        found = failure(error, error.code, URL, inserting=False, network=NETWORK)
        assert type(found) is kind
        assert str(found) == f"ClickHouse at {URL}: {told}"


def test_the_network() -> None:
    error = failure(
        caused(Exception("Error …"), ConnectionRefusedError(111, "refused")), None, URL, inserting=True, network=NETWORK
    )
    assert isinstance(error, WarehouseAway)
    assert str(error) == (
        f"no ClickHouse answers at {URL}: [Errno 111] refused. "
        "Start the local one with `evcs local up`, or set EVCS_CLICKHOUSE_URL"
    )


def test_a_certificate_does_not_become_right_by_waiting() -> None:
    cause = ssl.SSLCertVerificationError(1, "self-signed certificate")
    error = failure(caused(Exception("Error …"), cause), None, URL, inserting=False, network=NETWORK)
    assert isinstance(error, WarehouseRefused)
    assert "certificate" in str(error)


def test_something_that_is_no_clickhouse() -> None:
    error = failure(
        Exception("Unexpected response to server version query: 5"), None, URL, inserting=False, network=NETWORK
    )
    assert isinstance(error, WarehouseRefused)
