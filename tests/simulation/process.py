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
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from usher.core.errors import CycleError
from usher.state.database import TAKEN
from usher.testing.faults import Killed

T = TypeVar("T")
WRITE = "write"
"""A transaction of the state that changes something."""
CONFIRM = "confirm"
"""The question whether the state is still ours, before a request that changes something."""
COUNTED_APART = (WRITE, CONFIRM)
"""Boundaries that are no requests. Those go by their operation."""


@dataclass(slots=True)
class Process:
    """One life of the program. `pick` names the fault that strikes a boundary: its kind, and its number from 1.

    Requests and the boundaries of COUNTED_APART are counted apart. `asked` are the kinds of the requests in their
    order, `said` is what it logged.

    A process can be stopped, as SIGSTOP does, and go on later: what it had sent by then arrives, and whatever it wants
    to send comes after. It has lost its state by then (`taken`), and is told so as soon as it uses it.
    """

    pick: Callable[[str, int], str | None] = lambda _kind, _ordinal: None
    asked: list[str] = field(default_factory=list)
    writes: int = 0
    confirms: int = 0
    struck: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    dead: bool = False
    dies_after_commit: bool = False
    clock_is_off: float = 0.0
    """How many seconds its wall clock is ahead; what it measures time by is never off."""
    taken: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    resumed: asyncio.Event = field(default_factory=asyncio.Event)

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

    def confirm(self) -> str | None:
        """One more question whose the state is. Raises CycleError `StateTaken` where it is another one's."""
        self.breathe()
        self.refuse_the_state()
        self.confirms += 1
        return self._struck_by(self.pick(CONFIRM, self.confirms))

    def refuse_the_state(self) -> None:
        """Raises CycleError `StateTaken` where it is another one's."""
        if self.taken:
            message = "another process has taken over the state"
            raise CycleError(message, reason=TAKEN)

    async def stop(self) -> None:
        """SIGSTOP, for so long that another process has the state before it goes on."""
        self.taken = True
        self.stopped.set()
        await self.resumed.wait()

    async def go_on(self) -> None:
        """Waits in a process that is stopped."""
        if self.stopped.is_set():
            await self.resumed.wait()

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
    """What others hand to a thread is done at once, by the process of the task that asks for it.

    `owners` says which process a task belongs to: the one that made it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.owners: WeakKeyDictionary[asyncio.Task[Any], Process | None] = WeakKeyDictionary()
        self.set_task_factory(self._make_task)

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **options)
        self.owners[task] = CURRENT.get()
        return task

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


class Life(Generic[T]):
    """The work as one process does it."""

    def __init__(self, process: Process, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.process = process
        former = CURRENT.set(process)
        self._task = asyncio.create_task(work())
        CURRENT.reset(former)

    async def run(self) -> T | None:
        """What the work came to; None where the process was killed, of which nothing runs on, or stopped."""
        stopped = asyncio.create_task(self.process.stopped.wait())
        await asyncio.wait({self._task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done() and not self._task.done():
            return None
        stopped.cancel()
        return await self.end()

    async def go_on(self) -> T | None:
        """The rest of a process that was stopped. No other one runs at this moment."""
        self.process.resumed.set()
        return await self.end()

    async def end(self) -> T | None:
        """Waits for the work; whatever it has left behind dies with the process."""
        try:
            return await self._task
        except Killed:
            return None
        finally:
            self.process.dead = True
            left = self._left()
            for one in left:
                one.cancel()
            for one in left:
                with suppress(BaseException):
                    await one

    def _left(self) -> list[asyncio.Task[Any]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, InlineLoop)
        return [one for one in asyncio.all_tasks() if loop.owners.get(one) is self.process]


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
