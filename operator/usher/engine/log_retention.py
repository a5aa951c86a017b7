"""How long lines of the provisioning log are kept, and how many there are at the most."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from usher.core.model.resources import ConnectorKey
from usher.engine.job import Ports

MOST_LINES: Final = 1_000_000
"""Lines of one connector: with one change in three seconds, a month of them. A line is bounded too."""


async def trim_log(ports: Ports, connector: ConnectorKey, retention: timedelta) -> None:
    """Drops the lines that are older, and those behind the newest `MOST_LINES`, a short transaction after the other."""
    before = ports.runtime.now() - retention
    while await ports.store.trim_log(connector, before, MOST_LINES):
        pass
