"""How far a cycle is, on stderr: a bar on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from usher.cli.terminal import make_console, say
from usher.engine.progress import Progress

REDRAW: Final = 0.2
RETELL: Final = 10.0
"""Seconds between two plain lines; a cycle that is done before the first shows none."""


@asynccontextmanager
async def shown(progress: Progress, name: str) -> AsyncIterator[None]:
    """Shows the progress until left."""
    console = make_console()
    drawing = _draw(progress, name, console) if console.is_terminal else _tell(progress, name)
    drawer = asyncio.create_task(drawing)
    try:
        yield
    finally:
        drawer.cancel()
        with suppress(asyncio.CancelledError):
            await drawer


async def _draw(progress: Progress, name: str, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task, stage = TaskID(0), None
        while True:
            if stage is not progress.stage:
                if stage is not None:
                    bar.remove_task(task)
                stage = progress.stage
                task = bar.add_task(f"{name} {stage.value}", total=progress.total or None)
            bar.update(task, completed=progress.done, total=progress.total or None)
            await asyncio.sleep(REDRAW)


async def _tell(progress: Progress, name: str) -> None:
    while True:
        await asyncio.sleep(RETELL)
        total = f" of {progress.total}" if progress.total else ""
        say(f"{name}: {progress.stage.value}, {progress.done}{total}")
