"""Whose the state is."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Integer, Table

from usher.contracts.permits import FOR_EVER
from usher.core.errors import CycleError
from usher.state.database import Database, OnDatabase
from usher.state.schema import metadata

tenures: Final = Table(
    "tenures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
)
"""On a server: one row, whose number grows whenever a process makes the state its own. A file has a lock instead."""

BEAT: Final = 10.0
"""Seconds between two words to the server when there is nothing to say: a third of what it waits for one."""
_CERTAIN: Final = 15.0
"""Seconds after which the server is asked anew whether the state is ours."""
_OURS: Final = 25.0
"""Seconds for which a word that was answered proves that it is: what it waits for one, less the way to a target."""


class SqlTenure(OnDatabase):
    """TenureStore by the connection: what goes over it is the holder's."""

    async def confirm(self) -> float:
        if not self._database.shared:
            return FOR_EVER
        if self._database.silence > _CERTAIN:
            await self._database.run(speak)
        return time.monotonic() - self._database.silence + _OURS

    async def until_taken(self) -> None:
        await self._database.taken.wait()


async def keep(database: Database) -> None:
    """Speaks now and then, so that nobody thinks that this process is stopped. Ends when it was, and has lost it."""
    while not database.taken.is_set():
        await asyncio.sleep(BEAT)
        with suppress(CycleError):  # who needs the state next is told
            await database.run(speak)


def speak(connection: Connection) -> None:
    """Any statement will do."""
    connection.exec_driver_sql("SELECT 1")
