"""What a request's parameters mean."""

import pytest

from infra.local.clickhouse.asking import Asking
from infra.local.clickhouse.limits import EXECUTION_S
from infra.local.clickhouse.refusals import Refusal


def test_parameters_are_sorted() -> None:
    asking = Asking.of(
        {
            "query": "SELECT {a:Int8}",
            "database": "d",
            "default_format": "JSON",
            "query_id": "q",
            "param_a": "1",
            "insert_deduplication_token": "t",
            "session_id": "passed over",
            "wait_end_of_query": "1",
            "user": "default",
            "password": "hush",
            "compress": "0",
        },
        {"X-ClickHouse-Database": "other"},
        reading=False,
    )
    assert asking == Asking(
        query="SELECT {a:Int8}",
        database="d",
        format="JSON",
        query_id="q",
        settings={"max_execution_time": str(EXECUTION_S), "insert_deduplication_token": "t"},
        parameters={"a": "1"},
    )


def test_headers_and_limits_give_way_to_what_is_asked_for() -> None:
    asking = Asking.of(
        {"max_execution_time": "5", "enable_http_compression": "1"},
        {"X-ClickHouse-Database": "d", "X-ClickHouse-Format": "CSV"},
        reading=True,
    )
    assert (asking.database, asking.format, asking.compressed) == ("d", "CSV", True)
    assert asking.settings == {"max_execution_time": "5", "enable_http_compression": "1", "readonly": "2"}
    assert asking.query_id


@pytest.mark.parametrize("name", ["compress", "decompress", "role"])
def test_what_this_server_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(Refusal, match=name) as refused:
        Asking.of({name: "1"}, {}, reading=False)
    assert refused.value.status == 501
