"""What ClickHouse's errors mean to us: whether they pass, need somebody, or lie in the data. Pure."""

import re
import ssl

from connectors.errors import UnreadableBlock, WarehouseAway, WarehouseError, WarehouseRefused
from connectors.warehouse.answer import BrokenOff

#: By ClickHouse's own numbers (`SELECT errorCodeToName(n)`): it can't do it now, and later it may.
PASSING = frozenset(
    {
        3,  # UNEXPECTED_END_OF_FILE: the request was cut off
        159,  # TIMEOUT_EXCEEDED
        160,  # TOO_SLOW
        173,  # CANNOT_ALLOCATE_MEMORY
        198,  # DNS_ERROR
        201,  # QUOTA_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY: its replica has no keeper
        243,  # NOT_ENOUGH_SPACE
        244,  # UNEXPECTED_ZOOKEEPER_ERROR
        252,  # TOO_MANY_PARTS
        254,  # NO_ACTIVE_REPLICAS
        265,  # NO_AVAILABLE_REPLICA
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        286,  # UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        297,  # SHARD_HAS_NO_CONNECTIONS
        319,  # UNKNOWN_STATUS_OF_INSERT
        364,  # RECEIVED_ERROR_TOO_MANY_REQUESTS
        369,  # ALL_REPLICAS_ARE_STALE
        394,  # QUERY_WAS_CANCELLED
        416,  # REPLICA_STATUS_CHANGED
        425,  # SYSTEM_ERROR
        439,  # CANNOT_SCHEDULE_TASK
        473,  # DEADLOCK_AVOIDED
        519,  # NO_REMOTE_SHARD_AVAILABLE
        529,  # NOT_A_LEADER
        574,  # DISTRIBUTED_TOO_MANY_PENDING_BYTES
        692,  # TOO_MANY_MUTATIONS
        700,  # USER_SESSION_LIMIT_EXCEEDED
        722,  # ASYNC_LOAD_WAIT_FAILED
        745,  # SERVER_OVERLOADED
        749,  # TCP_CONNECTION_LIMIT_REACHED
        762,  # HTTP_CONNECTION_LIMIT_REACHED
        776,  # RESOURCE_LIMIT_EXCEEDED
        999,  # KEEPER_EXCEPTION
    }
)

#: In an insert: the data is not what its format, or the table, has.
IN_THE_DATA = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        7,  # INCORRECT_NUMBER_OF_COLUMNS
        9,  # SIZES_OF_COLUMNS_DOESNT_MATCH
        25,  # CANNOT_PARSE_ESCAPE_SEQUENCE
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        40,  # CHECKSUM_DOESNT_MATCH
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        131,  # TOO_LARGE_STRING_SIZE
        248,  # INVALID_PARTITION_VALUE
        271,  # CANNOT_DECOMPRESS
        307,  # TOO_MANY_BYTES
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        354,  # ZLIB_INFLATE_FAILED
        376,  # CANNOT_PARSE_UUID
        407,  # DECIMAL_OVERFLOW
        441,  # CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING
        467,  # CANNOT_PARSE_BOOL
        469,  # VIOLATED_CONSTRAINT
        546,  # NO_ROW_DELIMITER
        561,  # ZSTD_DECODER_FAILED
        565,  # TOO_MANY_PARTITIONS
        618,  # LZ4_DECODER_FAILED
        632,  # UNEXPECTED_DATA_AFTER_PARSED_VALUE
        636,  # CANNOT_EXTRACT_TABLE_STRUCTURE
        675,  # CANNOT_PARSE_IPV4
        676,  # CANNOT_PARSE_IPV6
        691,  # UNKNOWN_ELEMENT_OF_ENUM
        748,  # AVRO_EXCEPTION
        1001,  # STD_EXCEPTION: what the libraries say that read Avro, Arrow and Parquet
    }
)

#: In an insert, under the number of too many parts: its rows lie in more partitions than one block may, as those of
#: chargers with wrong clocks do. The same rows fit in smaller blocks.
_TOO_SCATTERED = "partitions for single INSERT block"

#: The user or the password is wrong.
_STRANGER = frozenset({192, 193, 194, 516})

#: A proxy's, or a server's that has not come to itself; without a code of ClickHouse's.
_PASSING_STATUS = re.compile(r"HTTP status (?:429|5\d\d)\b")
_NOISE = re.compile(
    r"^Received ClickHouse exception, code: \d+, server response: (?:Code: \d+\. )?(?:DB::Exception: )?"
    r"| \(version [^()]*(?:\([^()]*\))?\)"
    r"| \(for url \S+\)"
)
_SHOWN_MAX = 1000


def failure(
    error: Exception, code: int | None, url: str, *, inserting: bool, network: tuple[type[Exception], ...]
) -> WarehouseError:
    """Our error for one of the driver's, which carried ClickHouse's `code` if that is what failed. The exceptions of
    `network` are those that the connection itself may raise."""
    reason = _NOISE.sub("", str(error)).strip()[:_SHOWN_MAX] or type(error).__name__
    told = f"ClickHouse at {url}: {reason}"
    if code is None:
        return _without_code(error, reason, url, network)
    if inserting and (code in IN_THE_DATA or _TOO_SCATTERED in reason):
        return UnreadableBlock(told, code)
    if code in PASSING:
        return WarehouseAway(told, code)
    if code in _STRANGER:
        return WarehouseRefused(f"{told}: set EVCS_CLICKHOUSE_USER and EVCS_CLICKHOUSE_PASSWORD", code)
    return WarehouseRefused(told, code)


def _without_code(error: Exception, reason: str, url: str, network: tuple[type[Exception], ...]) -> WarehouseError:
    chain = list(_chain(error))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
        return WarehouseRefused(f"ClickHouse at {url} has a certificate that this machine does not trust: {reason}")
    if isinstance(error, BrokenOff) or _PASSING_STATUS.search(reason):
        return WarehouseAway(f"ClickHouse at {url}: {reason}")
    if any(isinstance(one, network) for one in chain):
        return WarehouseAway(
            f"no ClickHouse answers at {url}: {chain[-1]}. "
            "Start the local one with `evcs local up`, or set EVCS_CLICKHOUSE_URL"
        )
    return WarehouseRefused(f"ClickHouse at {url}: {reason}")


def _chain(error: BaseException) -> list[BaseException]:
    """The error, and what it came from, and what that came from."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found:
        found.append(following)
        reason = getattr(following, "reason", None)
        following = (
            following.__cause__ or (reason if isinstance(reason, BaseException) else None) or following.__context__
        )
    return found
