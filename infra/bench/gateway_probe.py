"""The load generator of `evcs bench gateway`, in a process of its own: sends ready calls and says how long they took.

Arguments: what to do (`closed`, `open` or `pages`), host, port, the files of the calls and for a sample of the answers,
and of `closed` the calls in flight, of `open` the calls a second and the file of pages that are read meanwhile, if any.
"""

import gc
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from infra.bench.connections import Connection, answered
from infra.bench.gateway_calls import GOOD, Call, kinds_of
from infra.bench.ledger import quantile
from infra.errors import OperatorError

#: Answers that are kept to be opened afterwards.
_SAMPLED = 200

#: Connections of the open loop: more calls at once wait, which counts.
_CONNECTIONS = 64

_LEAD_S = 0.1


class Kept:
    """Checks every answer's Ret, and keeps a sample of the answers."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._every = max(1, len(calls) // _SAMPLED)
        self.sample: list[tuple[int, bytes]] = []

    def take(self, number: int, body: bytes) -> None:
        """The answer to this call. Raises OperatorError."""
        if not body.startswith(GOOD):
            raise OperatorError(f"{self._calls[number].interface} was answered with {body[:200]!r}")
        if number % self._every == 0:
            self.sample.append((number, body))


def closed_loop(host: str, port: int, calls: Sequence[Call], in_flight: int, kept: Kept) -> dict[str, object]:
    """As fast as the server answers, with so many calls in flight."""
    connections = [Connection.to(host, port) for _ in range(in_flight)]
    at_work: dict[Connection, int] = {}
    requests = [call.request for call in calls]
    todo = iter(range(len(calls)))
    cpu, began = time.process_time(), time.perf_counter()
    for connection, number in zip(connections, todo, strict=False):
        connection.send(requests[number])
        at_work[connection] = number
    while at_work:
        for connection, body in answered(list(at_work), None):
            kept.take(at_work.pop(connection), body)
            following = next(todo, None)
            if following is not None:
                connection.send(requests[following])
                at_work[connection] = following
    elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"per_s": len(calls) / elapsed, "busy": cpu / elapsed}


def open_loop(
    host: str, port: int, calls: Sequence[Call], per_s: float, pages: Sequence[Call], kept: Kept
) -> dict[str, object]:
    """A call every 1/`per_s` s, whatever becomes of those before; latencies count from when a call was due.

    Meanwhile `pages` are read over a connection of their own, one after the other and over again.
    """
    # Made when they are needed: the gateway closes one on which no request comes for some seconds.
    idle: list[Connection] = []
    reader = Connection.to(host, port)
    waiting: deque[int] = deque()
    at_work: dict[Connection, int] = {}
    latencies_us: dict[str, list[int]] = {name: [] for name in kinds_of(calls)}
    late_us: list[int] = []
    page_s: list[float] = []
    began, due, done, turned_at = time.perf_counter() + _LEAD_S, 0, 0, 0.0
    if pages:
        reader.send(pages[0].request)
        turned_at = time.perf_counter()
    while done < len(calls):
        now = time.perf_counter()
        while due < len(calls) and began + due / per_s <= now:
            waiting.append(due)
            due += 1
        while waiting and len(at_work) < _CONNECTIONS:
            number, connection = waiting.popleft(), idle.pop() if idle else Connection.to(host, port)
            late_us.append(round((time.perf_counter() - began - number / per_s) * 1e6))
            connection.send(calls[number].request)
            at_work[connection] = number
        until_due = max(0.0, began + due / per_s - time.perf_counter()) if due < len(calls) else None
        for connection, body in answered([*at_work, *([reader] if pages else ())], until_due):
            now = time.perf_counter()
            if connection is reader:
                page_s.append(now - turned_at)
                if not body.startswith(GOOD):
                    raise OperatorError(f"a page was answered with {body[:200]!r}")
                reader.send(pages[len(page_s) % len(pages)].request)
                turned_at = time.perf_counter()
                continue
            number = at_work.pop(connection)
            latencies_us[calls[number].interface].append(round((now - began - number / per_s) * 1e6))
            kept.take(number, body)
            idle.append(connection)
            done += 1
    return {
        "p50_ms": {name: _ms(values, 0.5) for name, values in latencies_us.items()},
        "p99_ms": {name: _ms(values, 0.99) for name, values in latencies_us.items()},
        "all_p99_ms": _ms([value for values in latencies_us.values() for value in values], 0.99),
        "sent_late_p99_ms": _ms(late_us, 0.99),
        "elapsed_s": time.perf_counter() - began,
        "page_s": page_s,
    }


def read_pages(host: str, port: int, pages: Sequence[Call], kept: Kept) -> dict[str, object]:
    """How long each took, one after the other, s."""
    connection, took_s = Connection.to(host, port), []
    for number, page in enumerate(pages):
        began = time.perf_counter()
        body = connection.exchange(page.request)
        took_s.append(time.perf_counter() - began)
        kept.take(number, body)
    return {"page_s": took_s}


def _ms(values_us: list[int], share: float) -> float:
    return round(quantile(values_us, share) / 1000, 2)


def _calls(file: str) -> list[Call]:
    return msgspec.msgpack.decode(Path(file).read_bytes(), type=list[Call])


def main(what: str, host: str, port: str, file: str, answers: str, *more: str) -> None:
    """Prints one JSON line."""
    calls = _calls(file)
    kept = Kept(calls)
    gc.disable()  # nothing here is garbage until the end
    if what == "closed":
        figures = closed_loop(host, int(port), calls, int(more[0]), kept)
    elif what == "open":
        pages = _calls(more[1]) if len(more) > 1 else []
        figures = open_loop(host, int(port), calls, float(more[0]), pages, kept)
    else:
        figures = read_pages(host, int(port), calls, kept)
    Path(answers).write_bytes(msgspec.msgpack.encode(kept.sample))
    print(json.dumps(figures), flush=True)  # noqa: T201


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OperatorError as error:
        sys.exit(str(error))
