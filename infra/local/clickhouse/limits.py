"""The bounds of the local ClickHouse, each with its reason. All are told to the caller who meets them."""

#: Requests that run or wait for their turn. One runs at a time, so more would only wait to time out.
REQUESTS_MAX = 100

#: As long as clickhouse-connect waits for an answer: nobody listens any more to what waits longer for its turn.
TURN_WAIT_S = 300.0

#: A statement that sets no `max_execution_time` of its own ends after this, so that it can't stop all others.
EXECUTION_S = 300

#: A request's body, as sent and decompressed: a batch of the sink is some 100 MB at most.
BODY_MAX_BYTES = 1024**3

#: Of an INSERT the text behind VALUES, which may hold expressions and is therefore looked through.
VALUES_MAX_BYTES = 16 * 1024**2

#: Up to here a body is kept in memory; what is larger goes to an unlinked file.
BODY_IN_MEMORY_BYTES = 4 * 1024**2

#: An answer is made in memory as a whole.
ANSWER_MAX_BYTES = 1024**3

#: The text of a statement, or of an INSERT up to its data. The engine's own `max_query_size` is a quarter of it.
SQL_MAX_BYTES = 1024**2

#: The same as ClickHouse's `http_max_uri_size`.
URL_MAX_BYTES = 1024**2

#: A form's fields: a statement and its parameters, where they are too long for the URL.
FORM_MAX_BYTES = 16 * 1024**2

#: What runs gets this long to end when the server is told to; shorter than `LocalServer.stop` waits.
STOP_S = 20.0

#: The server's log is rolled at this size, and one older file is kept.
LOG_MAX_BYTES = 10 * 1024**2
