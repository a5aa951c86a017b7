"""Connections to directories that wait for their next use: a source is read again and again, and a bind costs time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol, TypeAlias

from usher.contracts.runtime import SecretText
from usher.transport.addresses import AddressPolicy
from usher.transport.ldap.connection import (
    DirectoryConnection,
    DirectorySettings,
    connect_directory,
    open_directory,
)

IDLE: Final = 180.0
"""Seconds after which a connection that nobody asked for is closed."""
OLD: Final = 1_800.0
"""Seconds after which a connection is not used again: an account that was locked meanwhile is noticed."""

_Key: TypeAlias = tuple[DirectorySettings, bytes]


class DirectoryLender(Protocol):
    """Lends a bound connection to a directory. Raises what `open_directory` does."""

    def __call__(
        self, settings: DirectorySettings, password: SecretText, policy: AddressPolicy, /
    ) -> AbstractAsyncContextManager[DirectoryConnection]: ...


lend_once: Final[DirectoryLender] = open_directory
"""A connection of its own for each use, for whoever reads once."""


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: DirectoryConnection
    born: float
    closing: asyncio.TimerHandle


class DirectoryPool:
    """Keeps at most one idle connection for each directory and account."""

    def __init__(self) -> None:
        self._idle: dict[_Key, _Idle] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._ended = False

    @asynccontextmanager
    async def lend(
        self, settings: DirectorySettings, password: SecretText, policy: AddressPolicy
    ) -> AsyncIterator[DirectoryConnection]:
        """A connection that answers. After a use that failed it is closed, otherwise it waits for the next."""
        key = (settings, blake2b(password.reveal().encode(), digest_size=16).digest())
        connection, born = await self._take(key) or (None, asyncio.get_running_loop().time())
        if connection is None:
            connection = await connect_directory(settings, password, policy)
        try:
            yield connection
        except BaseException:
            await connection.close()
            raise
        if self._ended:
            await connection.close()
        else:
            self._keep(key, connection, born)

    async def close(self) -> None:
        """Closes all that wait. What is lent still is closed when it comes back."""
        self._ended = True
        for key in list(self._idle):
            self._drop(key)
        await asyncio.gather(*self._closing)

    async def _take(self, key: _Key) -> tuple[DirectoryConnection, float] | None:
        idle = self._idle.pop(key, None)
        if idle is None:
            return None
        idle.closing.cancel()
        young = asyncio.get_running_loop().time() - idle.born < OLD
        try:
            if young and await idle.connection.is_alive():
                return idle.connection, idle.born
        except BaseException:
            await idle.connection.close()
            raise
        await idle.connection.close()
        return None

    def _keep(self, key: _Key, connection: DirectoryConnection, born: float) -> None:
        self._drop(key)
        closing = asyncio.get_running_loop().call_later(IDLE, self._drop, key)
        self._idle[key] = _Idle(connection, born, closing)

    def _drop(self, key: _Key) -> None:
        idle = self._idle.pop(key, None)
        if idle is None:
            return
        idle.closing.cancel()
        task = asyncio.get_running_loop().create_task(idle.connection.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
