"""Until when a write to a target may still go out. Its permit is looked at where the bytes are handed to the system.

Between the engine's question (`TenureStore.confirm`) and that place a request waits: for its turn, for a connection. A
process that is stopped there, and goes on when another one has its state, would send it first and hear of it later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

FOR_EVER: Final = math.inf
_UNTIL: ContextVar[float] = ContextVar("usher_permit", default=FOR_EVER)


@contextmanager
def permitted(until: float) -> Iterator[None]:
    """What is sent inside, by this task and those that it starts, may go out before `until` (`time.monotonic`)."""
    former = _UNTIL.set(until)
    try:
        yield
    finally:
        _UNTIL.reset(former)


def is_permitted() -> bool:
    """Whether it may go out now. By the clock of this machine, which goes on while a process is stopped."""
    return time.monotonic() < _UNTIL.get()
