"""Bytes between libldap, which wants a file descriptor, and a network connection of ours."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

CHUNK: Final = 256 * 1024


class Relay:
    """Carries bytes both ways until one side ends, or more comes in than was allowed. Made by `open_relay`.

    `overflowed` says that the latter was the reason.
    """

    def __init__(self, theirs: socket.socket) -> None:
        self._theirs = theirs
        self._room = CHUNK
        self.overflowed = False
        self.near, self.far = _End(lambda _: True), _End(self._admit)
        self.near.other, self.far.other = self.far, self.near

    def hand_over(self) -> int:
        """The descriptor of libldap's end, which belongs to libldap from here on."""
        return self._theirs.detach()

    def allow(self, size: int) -> None:
        """So many bytes may come in from now on, whatever was left before."""
        self._room = size

    def abort(self) -> None:
        """Ends it at once: whoever waits at libldap's end is woken."""
        self.near.abort()
        self.far.abort()

    async def close(self) -> None:
        """Ends it; nothing is left open."""
        self.abort()
        self._theirs.close()
        await asyncio.gather(self.near.ended.wait(), self.far.ended.wait())

    def _admit(self, size: int) -> bool:
        self._room -= size
        self.overflowed = self.overflowed or self._room < 0
        return not self.overflowed


class _End(asyncio.Protocol):
    """One of the two ends: what comes in here goes out at the other, and no faster than the other takes it."""

    other: _End

    def __init__(self, admit: Callable[[int], bool]) -> None:
        self._admit = admit
        self._transport: asyncio.Transport | None = None
        self._closing = False
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - all that is made here are streams
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._admit(len(data)):
            self.other.send(data)
        else:
            self.abort()

    def pause_writing(self) -> None:
        self.other.hold()

    def resume_writing(self) -> None:
        self.other.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # libldap finds its end closed, and says what that means
        self._transport = None
        self.ended.set()
        self.other.finish()

    def send(self, data: bytes) -> None:
        """To whoever is at this end."""
        if self._transport is not None:
            self._transport.write(data)

    def hold(self) -> None:
        """Nothing more is taken in here for the time being."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """The end of `hold`."""
        if self._transport is not None:
            self._transport.resume_reading()

    def finish(self) -> None:
        """Ends it when all is sent."""
        if self._transport is not None and not self._closing:
            self._closing = True  # asyncio takes a second close() of a TLS transport for the end of its own reference
            self._transport.close()

    def abort(self) -> None:
        """Ends it now."""
        if self._transport is not None:
            self._transport.abort()


async def open_relay(opened: socket.socket, tls: ssl.SSLContext | None, host: str, handshake_timeout: float) -> Relay:
    """Over this connection, encrypted where a context is given. The socket belongs to the relay, or is closed.

    Raises OSError, of which ssl.SSLError is one, for a TLS handshake that fails.
    """
    ours, theirs = socket.socketpair()
    for end, option in ((ours, socket.SO_SNDBUF), (theirs, socket.SO_RCVBUF)):
        end.setsockopt(socket.SOL_SOCKET, option, 4 * CHUNK)  # a page in one go, as far as the machine allows it
    relay, loop = Relay(theirs), asyncio.get_running_loop()
    try:
        await loop.create_connection(lambda: relay.near, sock=ours)
        if tls is None:
            await loop.create_connection(lambda: relay.far, sock=opened)
        else:
            await loop.create_connection(
                lambda: relay.far,
                sock=opened,
                ssl=tls,
                server_hostname=host,
                ssl_handshake_timeout=handshake_timeout,
            )
    except BaseException:
        relay.abort()
        for end in (ours, theirs, opened):
            end.close()
        raise
    return relay
