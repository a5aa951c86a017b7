"""Accounts that were deleted are looked for before they are made again: by the rules of every cycle.

Nobody is taken over where the spec says so, nothing is picked out of several, and where nobody can be looked for a
create of unknown end is not sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from usher.core.model.plans import MatchKey, Unknowable, Unlinked, Unmatched
from usher.core.model.resources import SourceId
from usher.core.sync.matching import Evidence, match_resources
from usher.engine.bench import Bench
from usher.engine.job import Job
from usher.engine.lookup import Lookup


@dataclass(frozen=True, slots=True)
class Reviving:
    """`unfinished` are those for whom a create was sent, by an undo that did not come to its end."""

    bench: Bench
    lane: Job
    unfinished: Collection[SourceId]

    async def look(self, source_id: SourceId, keys: Sequence[MatchKey]) -> Unlinked:
        """Whose account answers to these keys now. Raises as the session does."""
        lane, store = self.lane, self.bench.ports.store
        if lane.settle is None and source_id in self.unfinished:
            return Unknowable()
        lookup = Lookup(lane, self.bench.session, self.bench.retrier)
        for key in keys:
            hits = await lookup.find_first([key])
            if hits:
                owners = await lane.owners(store, [hit.id for hit in hits])
                evidence = Evidence(
                    connector=lane.connector,
                    hits={key.claim: hits},
                    rivals={},
                    owners={account: (owner.connector, owner.source_id) for account, owner in owners.items()},
                    adopt=lane.adopt,
                    unfinished=self.unfinished,
                )
                return match_resources({source_id: keys}, evidence)[source_id]
        return Unmatched()
