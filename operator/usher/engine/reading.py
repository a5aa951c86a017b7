"""Single accounts, read at the target: a read that had no effect is made again.

That an account is gone takes access away, or makes another one: so the target has to say it twice. A proxy answers 404
as well, while the app behind it is replaced.
"""

from __future__ import annotations

from collections.abc import Collection

from usher.contracts.target import Projection, TargetSession
from usher.core.errors import ResourceGone
from usher.core.model.resources import AttributePath, TargetId, TargetResource
from usher.core.scim.references import referenced
from usher.engine.job import Job
from usher.engine.retry import Retrier


async def read_account(
    session: TargetSession, retrier: Retrier, job: Job, target_id: TargetId
) -> TargetResource | None:
    """What the mapping knows of an account, as it is now; None where it is gone. Raises as the session does."""
    return await _read(session, retrier, job, target_id, job.mapping.paths)


async def read_paths(
    session: TargetSession, retrier: Retrier, job: Job, target_id: TargetId, paths: Collection[AttributePath]
) -> TargetResource | None:
    """The same, and the values of these paths besides."""
    return await _read(session, retrier, job, target_id, job.mapping.paths | frozenset(paths))


async def read_references(
    session: TargetSession, retrier: Retrier, job: Job, target_id: TargetId, path: AttributePath
) -> tuple[TargetId, ...]:
    """The accounts that a reference attribute of this account holds. Raises ResourceGone where that one is gone."""
    current = await _read(session, retrier, job, target_id, frozenset((path,)))
    if current is None:
        raise ResourceGone
    return tuple(map(TargetId, referenced(path, current.attributes)))


async def _read(
    session: TargetSession, retrier: Retrier, job: Job, target_id: TargetId, wanted: Projection
) -> TargetResource | None:
    async def ask() -> TargetResource | None:
        return await session.get(job.resource_type, target_id, wanted)

    return await retrier.read(ask) or await retrier.read(ask)
