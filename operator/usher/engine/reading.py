"""Single accounts, read at the target: a read that had no effect is made again."""

from __future__ import annotations

from usher.contracts.target import TargetSession
from usher.core.model.resources import AttributePath, TargetId, TargetResource
from usher.core.scim.references import referenced
from usher.engine.job import Job
from usher.engine.retry import Retrier


async def read_account(
    session: TargetSession, retrier: Retrier, job: Job, target_id: TargetId
) -> TargetResource | None:
    """What the mapping knows of an account, as it is now; None where it is gone. Raises as the session does."""
    return await retrier.read(lambda: session.get(job.resource_type, target_id, job.mapping.paths))


async def read_references(
    session: TargetSession, retrier: Retrier, job: Job, target_id: TargetId, path: AttributePath
) -> tuple[TargetId, ...]:
    """The accounts that a reference attribute of this account holds; none where the account is gone."""
    current = await retrier.read(lambda: session.get(job.resource_type, target_id, frozenset((path,))))
    return () if current is None else tuple(map(TargetId, referenced(path, current.attributes)))
