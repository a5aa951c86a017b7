"""The provisioning log on standard output, a line a line, for whoever collects what Pods print."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, TextIO

import orjson

from usher.answers.log import line_of
from usher.contracts.log import LogEntry, LogStore
from usher.core.errors import CycleError
from usher.core.model.resources import ConnectorKey

EVERY: Final = 1.0
"""Seconds between two looks for new lines."""
AT_ONCE: Final = 500
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogStream:
    """Tells each line at least once, in order: again only those of a process that died before it could note them.

    `reader` is read from and `store` keeps how far it came. `every` is in seconds.
    """

    reader: LogStore
    store: LogStore
    output: TextIO
    every: float = EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, and all lines of before are told. What goes wrong is logged, and tried again."""
        last = False
        while not last:
            last = stop.is_set()
            await self._try()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.every)

    async def _try(self) -> None:
        try:
            await self.tell()
        except (CycleError, OSError, ValueError) as error:
            why = error.reason if isinstance(error, CycleError) else type(error).__name__
            logger.warning("the provisioning log is not on standard output", extra={"fields": {"reason": why}})

    async def tell(self) -> None:
        """All lines that there are. Raises CycleError, and what writing raises."""
        told = await self.store.log_told()
        while lines := await self.reader.follow_log(told, AT_ONCE):
            await asyncio.to_thread(self._write, lines)
            told = lines[-1][1].number
            await self.store.save_log_told(told)

    def _write(self, lines: Sequence[tuple[ConnectorKey, LogEntry]]) -> None:
        for connector, entry in lines:
            line = {"connector": connector, "number": entry.number, **line_of(entry).data()}
            self.output.write(orjson.dumps(line).decode() + "\n")
        self.output.flush()


@asynccontextmanager
async def streaming(stream: LogStream) -> AsyncIterator[None]:
    """Tells while it is open, and at its end what was written by then."""
    await stream.store.save_log_told(await stream.store.log_told())  # from here on, though no line may come for long
    stop = asyncio.Event()
    running = asyncio.get_running_loop().create_task(stream.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running
