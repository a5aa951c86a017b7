"""Bytes between libldap, which wants a file descriptor, and a network connection of ours."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Final

CHUNK: Final = 256 * 1024


class Relay:
    """Carries bytes both ways until one side ends, or more comes in than was allowed.

    `overflowed` says that the latter was the reason.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ours, self._theirs = socket.socketpair()
        self._ours.settimeout(0.0)
        for end, option in ((self._ours, socket.SO_SNDBUF), (self._theirs, socket.SO_RCVBUF)):
            end.setsockopt(socket.SOL_SOCKET, option, 4 * CHUNK)  # a page in one go, as far as the machine allows it
        self._room = CHUNK
        self.overflowed = False
        loop = asyncio.get_running_loop()
        self._tasks = (loop.create_task(self._inwards()), loop.create_task(self._outwards()))

    def hand_over(self) -> int:
        """The descriptor of libldap's end, which belongs to libldap from here on."""
        return self._theirs.detach()

    def allow(self, size: int) -> None:
        """So many bytes may come in from now on, whatever was left before."""
        self._room = size

    def abort(self) -> None:
        """Ends it at once: whoever waits at libldap's end is woken."""
        for task in self._tasks:
            task.cancel()
        self._ours.close()

    async def close(self) -> None:
        """Ends it; nothing is left open."""
        self.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._theirs.close()
        self._writer.close()
        with suppress(OSError, ssl.SSLError, TimeoutError):  # the way the other side ends means nothing any more
            await asyncio.wait_for(self._writer.wait_closed(), 1.0)

    async def _inwards(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await self._reader.read(CHUNK):
                self._room -= len(data)
                if self._room < 0:
                    self.overflowed = True
                    return
                await loop.sock_sendall(self._ours, data)
        except OSError:  # the connection broke: libldap finds its end closed and says so
            return
        finally:
            self._ours.close()

    async def _outwards(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await loop.sock_recv(self._ours, CHUNK):
                self._writer.write(data)
                await self._writer.drain()
        except OSError:
            return
        finally:
            self._writer.close()
