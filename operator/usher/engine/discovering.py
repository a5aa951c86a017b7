"""What a target says of itself, asked for once an hour, and in force until it says something else.

A cycle without a change costs one read: so the answer is kept in the state, by the target's address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from usher.contracts.discoveries import StoredDiscovery
from usher.contracts.target import TargetSession
from usher.core.errors import UsherError
from usher.core.scim.discovery import Discovery
from usher.engine.job import Ports
from usher.engine.retry import Retrier

MAX_AGE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Known:
    """What is in force. `stale` says why the target could not be asked again, empty where it need not or could."""

    discovery: Discovery
    stale: str = ""


async def know_target(address: str, ports: Ports, session: TargetSession, retrier: Retrier) -> Known:
    """What the target at this address says of itself, now or within the last hour; the session is tuned to it.

    Raises what the reads raise where it never said anything: a guess would be in force until the next cycle only, and
    types and comparisons would change to and fro. Where it did, that stays in force until it can be asked again.
    """
    known = await _know(address, ports, session, retrier)
    session.tune(known.discovery)
    return known


async def _know(address: str, ports: Ports, session: TargetSession, retrier: Retrier) -> Known:
    stored = await ports.store.discovery(address)
    now = ports.runtime.now()
    if stored is not None and abs(now - stored.read) < MAX_AGE:  # abs: a clock that was put back
        return Known(stored.discovery)
    try:
        discovery = await retrier.read(session.discover)
    except UsherError as error:
        if stored is None:
            raise
        return Known(stored.discovery, error.message)
    await ports.store.save_discovery(address, StoredDiscovery(discovery, now))
    return Known(discovery)
