"""What an answer's head says: ClickHouse's headers for a result, or for an error."""

import json

from infra.local.clickhouse.engine import Result

#: All else is told as plain text.
_CONTENT_TYPES = {
    "text/tab-separated-values; charset=UTF-8": ("TabSeparated", "TSV", "TabSeparatedWithNames", "TSVWithNames"),
    "text/csv; charset=UTF-8": ("CSV", "CSVWithNames"),
    "application/json; charset=UTF-8": ("JSON", "JSONCompact", "JSONStrings"),
    "application/x-ndjson; charset=UTF-8": ("JSONEachRow", "JSONCompactEachRow"),
    "application/octet-stream": ("Native", "RowBinary", "Avro", "Parquet", "Arrow", "ArrowStream", "ORC"),
}
_TYPE_OF = {format_: type_ for type_, formats in _CONTENT_TYPES.items() for format_ in formats}


def result_headers(result: Result, format_: str, query_id: str, timezone: str) -> dict[str, str]:
    """The headers of a result; `format_` is "" for a statement that gives no rows."""
    summary = {
        "read_rows": result.rows_read,
        "read_bytes": result.bytes_read,
        "written_rows": result.rows_written,
        "written_bytes": result.bytes_written,
        "total_rows_to_read": result.rows_read,
        "result_rows": result.rows,
        "result_bytes": len(result.body),
        "elapsed_ns": result.elapsed_ns,
    }
    headers = common_headers(query_id, timezone)
    headers["X-ClickHouse-Summary"] = json.dumps({name: str(value) for name, value in summary.items()})
    headers["Content-Type"] = _TYPE_OF.get(format_, "text/plain; charset=UTF-8")
    if format_:
        headers["X-ClickHouse-Format"] = format_
    return headers


def error_headers(code: int, query_id: str, timezone: str) -> dict[str, str]:
    """The headers of an error."""
    return {
        **common_headers(query_id, timezone),
        "X-ClickHouse-Exception-Code": str(int(code)),
        "Content-Type": "text/plain; charset=UTF-8",
    }


def common_headers(query_id: str, timezone: str) -> dict[str, str]:
    """What every answer tells."""
    return {
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Timezone": timezone,
        "X-ClickHouse-Server-Display-Name": "evcs-local",
    }
