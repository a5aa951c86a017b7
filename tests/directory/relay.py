"""A port of this machine that leads to the socket of a file, for a server that listens at nothing else within reach."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

_CHUNK: Final = 65_536


class Relay:
    """From a port of 127.0.0.1 to the socket of a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._carried: list[tuple[socket.socket, threading.Thread]] = []
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def close(self) -> None:
        """Ends all connections; no socket and no thread stays. Fine when it is closed already."""
        _shut(self._server)
        self._serving.join()
        self._server.close()
        for near, carrying in self._carried:
            _shut(near)
            carrying.join()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self.path))
            except OSError:
                near.close()
                far.close()
                continue
            carrying = threading.Thread(target=_carry, args=(near, far), daemon=True)
            carrying.start()
            self._carried.append((near, carrying))


def _carry(near: socket.socket, far: socket.socket) -> None:
    """Both ways, until one of the two is closed. No socket is closed while another thread still reads from it."""
    with near, far:
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(_CHUNK):
            other.sendall(data)
    for end in (one, other):
        _shut(end)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
