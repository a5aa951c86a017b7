"""How long lines of the provisioning log are kept, and how many there are at the most; and the journals with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from usher.core.model.resources import ConnectorKey
from usher.engine.job import Ports

MOST_LINES: Final = 1_000_000
"""Lines of one connector: with one change in three seconds, a month of them. A line is bounded too."""
MOST_CHANGES: Final = 1_000_000
"""Changes in the journals of one connector, whole cycles each; the last cycle's journal is kept whatever its size."""


async def trim_log(ports: Ports, connector: ConnectorKey, retention: timedelta) -> None:
    """Drops the lines that are older, and those behind the newest `MOST_LINES`, a short transaction after the other.

    What a cycle did can be undone for as long as it can be read about: its journal goes by the same retention.
    """
    before = ports.runtime.now() - retention
    while await ports.store.trim_log(connector, before, MOST_LINES):
        pass
    while await ports.store.trim_journal(connector, before, MOST_CHANGES):
        pass
