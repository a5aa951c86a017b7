"""Values that one person gives up and another takes: who may, and who goes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from usher.contracts.store import Store
from usher.core.model.plans import Phase, PlannedChange, Skip
from usher.core.model.resources import SourceId
from usher.core.sync.matching import DUPLICATE_SOURCE
from usher.core.sync.moves import KeyMove, key_move, rank_key_moves
from usher.core.sync.planning import Planned
from usher.engine.job import Job


async def settle_contested(
    job: Job, store: Store, planned: Mapping[SourceId, Planned]
) -> tuple[Mapping[SourceId, Planned], list[KeyMove]]:
    """Linked people who come to claim a value that somebody else claims too are left alone.

    Like those without a link.
    """
    moves = [
        key_move(job.mapping, row)
        for row in planned.values()
        if isinstance(row, PlannedChange) and row.phase is Phase.FREE_KEYS
    ]
    if not moves:
        return dict(planned), moves
    claims = {claim for move in moves for claim in move.takes}
    rivals = await store.rivals(job.lane, claims)
    settled = dict(planned)
    for move in moves:
        others = {other for claim in move.takes for other in rivals.get(claim, ())} - {move.source_id}
        if others:
            detail = "clashes with " + ", ".join(sorted(others)[:10])
            settled[move.source_id] = Skip(move.source_id, DUPLICATE_SOURCE, detail, settled=False)
    return settled, [move for move in moves if isinstance(settled[move.source_id], PlannedChange)]


async def order_moves(job: Job, store: Store, moves: Sequence[KeyMove]) -> None:
    """Whoever gives a value up goes before whoever takes it."""
    ranks = {source_id: rank for source_id, rank in rank_key_moves(moves).items() if rank}
    if not ranks:
        return
    moved = [
        replace(row, rank=ranks[row.source_id])
        async for rows in store.changes_of(job.lane, Phase.FREE_KEYS, 0)
        for row in rows
        if row.source_id in ranks
    ]
    await store.add_changes(job.lane, moved)
