"""scim2-server, that writes down what it was asked and what it made of it: server.py PORT TOKEN RECORD.

A line of JSON for each request, before its answer goes out: method, path, status, and of what it wrote the resource.
Its schemas do not call userName unique, and so it does not see to it: a second account for a person would be made.

A file RECORD.stop with two numbers stops the process of the second one when as many accounts as the first one says
have been made since, before the answer goes out.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import make_server

from scim2_models import ScimProvider, Uniqueness
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
from scim2_server.testserver.cli import ThreadingWSGIServer
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READS = ("GET", "HEAD")
_CREATED = 201


def application(token: str) -> BearerTokenApplication:
    """As the command scim2-server makes it, but for the uniqueness."""
    schemas = load_default_schemas()
    for schema in schemas.values():
        for attribute in schema.attributes or ():
            attribute.uniqueness = Uniqueness.none
    config = load_default_service_provider_config()
    config.authentication_schemes = [*(config.authentication_schemes or []), BEARER_TOKEN_SCHEME]
    provider = ScimProvider.from_discovery(schemas.values(), load_default_resource_types().values(), config=config)
    return BearerTokenApplication(InMemoryStorage(), provider, bearer_tokens=[token])


def recorded(inner: WSGIApplication, record: str) -> WSGIApplication:
    """The same, with its record."""
    lock, stop = Lock(), Path(f"{record}.stop")

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = _Answer()
        body = answer.of(inner, environ)
        line = _line(environ, answer.status, body, inner)
        with lock, Path(record).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(line)}\n")
            if line["method"] == "POST" and line["status"] == _CREATED and stop.exists():
                _count(stop)
        start_response(answer.status, answer.headers)
        return [body]

    return called


def _count(stop: Path) -> None:
    ordinal, pid = map(int, stop.read_text(encoding="ascii").split())
    if ordinal > 1:
        stop.write_text(f"{ordinal - 1} {pid}", encoding="ascii")
    else:
        stop.unlink()
        os.kill(pid, signal.SIGSTOP)


def _line(environ: WSGIEnvironment, status: str, body: bytes, inner: WSGIApplication) -> dict[str, Any]:
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if method not in _READS and not body:  # a PATCH is answered with nothing: what came of it has to be asked
        plain = {name: value for name, value in environ.items() if not name.startswith("HTTP_IF_")}
        plain |= {"REQUEST_METHOD": "GET", "QUERY_STRING": "", "CONTENT_LENGTH": "0"}
        body = _Answer().of(inner, plain)
    resource = json.loads(body) if body and method not in _READS else None
    return {"method": method, "path": path, "status": int(status[:3]), "resource": resource}


class _Answer:
    """Takes what a WSGI application answers."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    def of(self, application: WSGIApplication, environ: WSGIEnvironment) -> bytes:
        """The body."""
        return b"".join(application(environ, self._start))

    def _start(self, status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return lambda _: None


def serve(port: int, token: str, record: str) -> None:
    """Until it is killed."""
    wsgi = recorded(application(token), record)
    with make_server("127.0.0.1", port, wsgi, server_class=ThreadingWSGIServer) as server:
        server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], sys.argv[3])
