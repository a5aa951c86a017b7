"""How a cycle begins: the target is asked whether it is there, and what it says of itself types the mappings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from usher.contracts.target import HasCredential
from usher.core.sync.linting import fit
from usher.engine.anchoring import begin_anchoring
from usher.engine.bench import Bench
from usher.engine.discovering import know_target
from usher.engine.job import ConnectorJob, Control, Ports
from usher.engine.reporting import Opened
from usher.engine.retry import Retrier
from usher.engine.standing import refuse_to_disturb

KEY_BYTES: Final = 32


def name_cycle(ports: Ports, started: datetime) -> str:
    """By what the provisioning log calls a cycle that began then."""
    return f"{started:%Y%m%dT%H%M%SZ}-{ports.runtime.random.getrandbits(16):04x}"


@asynccontextmanager
async def open_bench(
    job: ConnectorJob, ports: Ports, control: Control, started: datetime, cycle: str = ""
) -> AsyncIterator[Opened]:
    """The bench of a cycle; without a name for one that only looks. Raises CycleError."""
    standing = await ports.store.standing(job.connector)
    refuse_to_disturb(standing, ports)
    retrier = Retrier(ports.runtime, confirm=ports.store.confirm)
    async with job.open_target() as session:
        await retrier.read(session.check)
        credential = session.credential if isinstance(session, HasCredential) else None
        known = await know_target(job.address, ports, session, retrier)
        lanes = tuple([replace(lane, mapping=fit(lane.mapping, known.discovery)) for lane in job.lanes])
        if any(lane.mapping.kept_up for lane in lanes):
            key = await ports.store.seal_key(ports.runtime.random.randbytes(KEY_BYTES))
            lanes = tuple([replace(lane, mapping=replace(lane.mapping, key=key)) for lane in lanes])
        typed = await begin_anchoring(replace(job, lanes=lanes), ports)
        bench = Bench(typed, ports, control, session, retrier, standing, cycle)
        yield Opened(bench, started, known.stale, credential)
