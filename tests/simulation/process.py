"""The program under test as one process: what it asks is counted, and once it is killed nothing of it has any effect.

Everything runs in one thread and on a clock that stands still, so that one seed is one run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from usher.testing.faults import Killed

T = TypeVar("T")
WRITE = "write"
"""What the state is asked for; all other boundaries are requests, by their operation."""


@dataclass(slots=True)
class Process:
    """One life of the program. `pick` names the fault that strikes a boundary: its kind, and its number from 1.

    Requests and transactions that write are counted apart. `asked` are the kinds of the requests in their order, `said`
    is what it logged.
    """

    pick: Callable[[str, int], str | None] = lambda _kind, _ordinal: None
    asked: list[str] = field(default_factory=list)
    writes: int = 0
    struck: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    dead: bool = False
    dies_after_commit: bool = False
    clock_is_off: float = 0.0
    """How many seconds its wall clock is ahead; what it measures time by is never off."""

    def request(self, kind: str) -> str | None:
        """One more request: the fault that strikes it, if one does. Raises Killed in a process that is dead."""
        self.breathe()
        self.asked.append(kind)
        return self._struck_by(self.pick(kind, len(self.asked)))

    def write(self) -> str | None:
        """One more transaction that is about to be committed."""
        self.breathe()
        self.writes += 1
        return self._struck_by(self.pick(WRITE, self.writes))

    def breathe(self) -> None:
        """Raises Killed in a process that is dead: whatever its tasks still do comes to nothing."""
        if self.dead:
            raise Killed

    def die(self) -> None:
        """SIGKILL: raises Killed."""
        self.dead = True
        raise Killed

    def _struck_by(self, fault: str | None) -> str | None:
        if fault is not None:
            self.struck.append(fault)
        return fault


CURRENT: ContextVar[Process | None] = ContextVar("process", default=None)
"""The process that a task belongs to, None for what the simulation itself does."""


class InlineLoop(asyncio.SelectorEventLoop):
    """What others hand to a thread is done at once, by the process of the task that asks for it."""

    def run_in_executor(  # type: ignore[override]  # the library says what it returns in a wider type
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Done when it returns."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        process = CURRENT.get()
        try:
            if process is not None:
                process.breathe()
            future.set_result(func(*args))
            if process is not None and process.dies_after_commit:
                process.die()
        except Exception as error:  # noqa: BLE001 - as an executor does: it goes to whoever awaits
            future.set_exception(error)
        return future


async def live(process: Process, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    """The work as that process does it; None where it was killed. Nothing of a killed one runs on."""

    async def belonging() -> T:
        CURRENT.set(process)
        return await work()

    task = asyncio.create_task(belonging())
    try:
        return await task
    except Killed:
        return None
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        process.dead = True
        for one in left:
            one.cancel()
        for one in left:
            with suppress(BaseException):
                await one


class _Listener(logging.Handler):
    """Hands what is logged to the process that logs it."""

    def emit(self, record: logging.LogRecord) -> None:
        process = CURRENT.get()
        if process is not None:
            process.said.append(self.format(record))


def simulate(work: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end on a loop of its own."""
    listener, root = _Listener(), logging.getLogger()
    root.addHandler(listener)
    try:
        with asyncio.Runner(loop_factory=InlineLoop) as runner:
            return runner.run(work)
    finally:
        root.removeHandler(listener)
