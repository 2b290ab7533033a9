"""A Schema Registry for tests: the one call that we make, checked strictly."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import fastavro

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class RegistryStub(ThreadingHTTPServer):
    """Gives ids from 100; `refusals` holds (HTTP status, body) by subject."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ids: dict[tuple[str, str], int] = {}
        self.refusals: dict[str, tuple[int, bytes]] = {}
        self.complaints: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def register(self, subject: str, schema: str) -> int:
        """The same id for the same schema, whatever its subject, as the real one has it."""
        for (_, known), schema_id in self.ids.items():
            if known == schema:
                self.ids[subject, schema] = schema_id
                return schema_id
        return self.ids.setdefault((subject, schema), 100 + len(set(self.ids.values())))


class _Handler(BaseHTTPRequestHandler):
    server: RegistryStub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two would wait for each other

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        if len(parts) != 3 or parts[0] != "subjects" or parts[2] != "versions":
            self._complain(f"POST {self.path}")
            return
        if parse_qs(address.query) not in ({}, {"normalize": ["False"]}):
            self._complain(f"query {address.query}")
            return
        if self.headers.get("Content-Type") != CONTENT_TYPE:
            self._complain(f"content type {self.headers.get('Content-Type')}")
            return
        request = json.loads(body)
        if set(request) - {"schema", "schemaType", "references"} or request.get("schemaType", "AVRO") != "AVRO":
            self._complain(f"body {sorted(request)}")
            return
        subject, schema = parts[1], json.loads(request["schema"])
        fastavro.parse_schema(schema)
        if subject != f"{schema['namespace']}.{schema['name']}":
            self._complain(f"subject {subject} of {schema['name']}")
            return
        if subject in self.server.refusals:
            status, answer = self.server.refusals[subject]
            self._answer(status, answer)
            return
        self._answer(200, json.dumps({"id": self.server.register(subject, request["schema"])}).encode())

    def do_GET(self) -> None:
        self._complain(f"GET {self.path}")

    def _complain(self, what: str) -> None:
        self.server.complaints.append(what)
        self._answer(422, json.dumps({"error_code": 42201, "message": what}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def registry() -> Iterator[RegistryStub]:
    """A registry that is up within the block."""
    stub = RegistryStub()
    thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stub
    finally:
        stub.shutdown()
        thread.join()
        stub.server_close()
