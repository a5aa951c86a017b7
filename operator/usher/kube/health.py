"""/healthz, /readyz and /metrics, on a thread of their own: they tell the truth while the event loop hangs."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from usher.core.errors import UsherError
from usher.kube.metrics import Metrics

BEAT: Final = 1.0
STALLED_AFTER: Final = 30.0
"""Seconds without a beat of the event loop after which the process is not well."""


class Health:
    """What the event loop tells the other thread."""

    def __init__(self) -> None:
        self._last_beat = time.monotonic()
        self.ready = False

    def beat(self) -> None:
        """The loop turns."""
        self._last_beat = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the loop turned lately."""
        return time.monotonic() - self._last_beat < STALLED_AFTER

    async def run(self, metrics: Metrics) -> None:
        """Beats for ever, and measures how late each beat comes."""
        while True:
            started = time.monotonic()
            await asyncio.sleep(BEAT)
            metrics.lag.set(max(0.0, time.monotonic() - started - BEAT))
            self.beat()


@contextmanager
def serve_health(address: tuple[str, int], health: Health, registry: CollectorRegistry) -> Iterator[int]:
    """Serves until left; gives the port. Raises UsherError when the address can't be had."""
    try:
        server = _server(address, health, registry)
    except OSError as error:
        message = f"can't listen on {address[0]} port {address[1]} for health and metrics: {error.strerror}"
        raise UsherError(message, reason="AddressUnusable") from error
    thread = Thread(target=server.serve_forever, args=(0.2,), name="health", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _server(address: tuple[str, int], health: Health, registry: CollectorRegistry) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/healthz":
                    self._answer(health.alive)
                case "/readyz":
                    self._answer(health.alive and health.ready)
                case "/metrics":
                    self._send(200, CONTENT_TYPE_LATEST, generate_latest(registry))
                case _:
                    self._send(404, "text/plain", b"not found\n")

        def _answer(self, good: bool) -> None:  # noqa: FBT001 - the whole answer is this one truth
            self._send(200 if good else 503, "text/plain", b"ok\n" if good else b"not ready\n")

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Probes are not worth a line."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        daemon_threads = True

    return Server(address, Handler)
