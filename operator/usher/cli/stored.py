"""The state file, for the commands that run no cycle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from usher.contracts.store import Store
from usher.core.errors import CycleError
from usher.state.store import open_store

T = TypeVar("T")


def look(state: Path, read: Callable[[Store], Awaitable[T]]) -> T:
    """What `read` gives. Raises CycleError: there is no such file, it can't be used, or a running `sync` has it."""
    if not state.is_file():
        raise CycleError(
            f"there is no state file {state}: name it with --state, or make one with usher sync", reason="StateUnusable"
        )

    async def reading() -> T:
        async with open_store(state) as store:
            return await read(store)

    return asyncio.run(reading())
