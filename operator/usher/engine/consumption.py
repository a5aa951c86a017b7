"""What a connector has worked off, and whether that still means anything."""

from __future__ import annotations

from dataclasses import replace

from usher.contracts.snapshots import Snapshot
from usher.contracts.store import Consumption
from usher.core.errors import CycleError
from usher.engine.job import Job, Ports


async def consume(job: Job, ports: Ports, snapshot: Snapshot) -> Consumption | None:
    """What the connector has worked off before this cycle, None for one that is new.

    Raises CycleError `InvalidSpec` where its links are to another source, or that of one that ends to another target.
    """
    store = ports.store
    fresh = consumption_of(job, snapshot, None)
    former = await store.consumption(job.lane)
    if former is not None and former.retired and not _same_ends(former, fresh):
        await store.forget(job.connector)
        former = None
    if former is None:
        await store.save_consumption(job.lane, fresh)
        return None
    if not _same_ends(former, fresh):
        message = (
            f"the links in the state belong to the source {former.source} ({former.identity}) and the target "
            f"{former.address}, the connector now names {fresh.source} ({fresh.identity}) and {fresh.address}. "
            "Put it back, or create another connector"
        )
        raise CycleError(message, reason="InvalidSpec")
    if former.retired:  # others may have taken its accounts meanwhile: everybody is looked at
        former = replace(former, version=None, retired=False)
        await store.save_consumption(job.lane, former)
    return former


def consumption_of(job: Job, snapshot: Snapshot, version: int | None) -> Consumption:
    """That of this job, with the snapshot worked off up to this version."""
    mapping = job.mapping
    return Consumption(
        job.source,
        snapshot.identity,
        job.address,
        mapping.digest,
        version,
        mapping.schema,
        scope=job.scope,
        lost=job.lost,
    )


def _same_ends(one: Consumption, other: Consumption) -> bool:
    return (one.source, one.identity, one.address) == (other.source, other.identity, other.address)
