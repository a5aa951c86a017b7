"""Ctrl-C and SIGTERM: the first one stops in good order, the second one at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from usher.cli.terminal import make_console, say
from usher.engine.progress import Progress, Stage

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Listens to signals while a cycle runs. `stop` is set by the first."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._work: asyncio.Task[Any] | None = None
        self._progress = Progress()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes the signals from their former handlers."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    @contextmanager
    def guarding(self, work: asyncio.Task[Any], progress: Progress) -> Iterator[None]:
        """Until it applies, a cycle is simply cancelled; from then on it ends after the requests in flight."""
        self._work, self._progress = work, progress
        try:
            yield
        finally:
            self._work = None

    def _signalled(self, number: signal.Signals) -> None:
        if self.stop.is_set():
            make_console().show_cursor()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.stop.set()
        say("stopping after the requests in flight; once more ends at once")
        if self._work is not None and self._progress.stage is not Stage.APPLY:
            self._work.cancel()
