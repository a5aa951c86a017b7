"""What a target says of itself, as a status shows it."""

from __future__ import annotations

from usher.api.v1alpha1.connector_status import MAX_SCHEMAS, MAX_URN, BulkStatus, TargetStatus
from usher.contracts.discoveries import DiscoveryStore, StoredDiscovery
from usher.core.sync.guarantees import Guarantee, guarantee_of
from usher.engine.job import ConnectorJob


async def look_up_target(store: DiscoveryStore, job: ConnectorJob) -> TargetStatus | None:
    """What is in force for the connector's target, None while nothing is."""
    stored = await store.discovery(job.address)
    if stored is None:
        return None
    users = job.lanes[0]
    return show_target(stored, guarantee_of(users.settle, stored.discovery, users.mapping.matching))


def show_target(stored: StoredDiscovery, guarantee: Guarantee) -> TargetStatus:
    """In a size that leaves room for the rest of a status."""
    told = stored.discovery
    urns = tuple(urn for urn in told.schemas if len(urn) <= MAX_URN)[:MAX_SCHEMAS]
    limits = told.bulk
    return TargetStatus(
        discovered=stored.read.replace(microsecond=0),
        features=tuple(sorted(feature.value for feature in told.features)) or None,
        max_results=told.max_results,
        bulk=None
        if limits is None
        else BulkStatus(max_operations=limits.max_operations, max_payload_size=limits.max_payload_size),
        schemas=urns or None,
        types=told.types.value,
        guarantee=guarantee.value,
    )
