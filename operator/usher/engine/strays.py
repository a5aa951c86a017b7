"""After the state was lost: accounts that are still active, of people who left while nobody knew that they were linked.

Whoever is in scope was matched by the first cycle, and has a link. An account without one is a stray where it answers
to the matching values of somebody who is not in, or carries an anchor that a client has given it. Whose it is has to be
told without doubt before it is disabled; and it is disabled like anybody's who leaves, in a guarded cycle.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from usher.contracts.log import LogEntry
from usher.contracts.store import Record
from usher.core.errors import OF_ONE_RESOURCE, ResourceError
from usher.core.model.escrow import Unsettled
from usher.core.model.resources import Fingerprint, Link, SourceId, SourceResource, TargetId
from usher.core.sync.mapping import keys_of
from usher.core.sync.planning import take_image
from usher.core.sync.policies import OnStateLoss
from usher.engine.bench import Bench
from usher.engine.concurrency import for_each
from usher.engine.drift_notes import Unowned
from usher.engine.job import Job
from usher.engine.log_lines import LogLines
from usher.engine.reading import read_account

STATE_LOST: Final = "StateLost"


@dataclass(slots=True)
class _Found:
    """Whose the strays are: `owners` where that is without doubt, of the `doubtful` it is not."""

    owners: dict[TargetId, SourceId] = field(default_factory=dict)
    doubtful: set[TargetId] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Strays:
    """Looks for them in one lane."""

    bench: Bench
    job: Job

    async def settle(self, accounts: Sequence[Unowned]) -> int:
        """How many of these active accounts, which match nobody in scope, are strays.

        With `onStateLoss: Disable` those whose owner is known get a link to him: he is one who has left, and leaves in
        the next cycle.
        """
        found = await self._identify(accounts)
        strays = [*found.owners, *sorted(found.doubtful)]
        if self.bench.job.on_state_loss is OnStateLoss.DISABLE:
            await self._link(found.owners)
        log = [self._line(target_id, found.owners.get(target_id)) for target_id in strays]
        await self.bench.ports.store.record(self.job.lane, Record(log=log))
        return len(strays)

    async def _identify(self, accounts: Sequence[Unowned]) -> _Found:
        """An account is somebody's where the two answer to each other alone, or where it carries an id that is gone."""
        met = await self._meet(accounts)
        anchors = Counter(one.anchor for one in accounts if one.anchor)
        found = _Found()
        targets = Counter(person for people in met.values() for person in people)
        for one in accounts:
            people = met.get(one.target_id, set())
            if not people and not one.anchor:
                continue
            alone = len(people) == 1 and all(targets[person] == 1 for person in people)
            if alone or (not people and anchors[one.anchor] == 1):
                found.owners[one.target_id] = next(iter(people), SourceId(one.anchor))
            else:
                found.doubtful.add(one.target_id)
        for target_id in await self._disowned(found.owners, met):
            del found.owners[target_id]
            found.doubtful.add(target_id)
        return found

    async def _meet(self, accounts: Sequence[Unowned]) -> Mapping[TargetId, set[SourceId]]:
        """People of the source who are not in, by the accounts that answer to their matching values."""
        by_claim: defaultdict[str, list[TargetId]] = defaultdict(list)
        for one in accounts:
            for claim in one.claims:
                by_claim[claim].append(one.target_id)
        met: defaultdict[TargetId, set[SourceId]] = defaultdict(set)
        store, job = self.bench.ports.store, self.job
        snapshot = await store.snapshot(job.source, job.resource_type)
        if snapshot is None or not by_claim:
            return met
        async for chunk in store.changes(job.source, job.resource_type, None, snapshot.version):
            for change in chunk:
                if change.resource is not None and not self._is_in(change.resource):
                    for target_id in self._hits(change.resource, by_claim):
                        met[target_id].add(change.id)
        return met

    def _is_in(self, person: SourceResource) -> bool:
        """Whoever can't be evaluated is not known to have left."""
        try:
            return self.job.map(person).active
        except ResourceError:
            return True

    def _hits(self, person: SourceResource, by_claim: Mapping[str, Sequence[TargetId]]) -> Sequence[TargetId]:
        """Those of the first matching attribute that has any."""
        for key in keys_of(self.job.mapping, person):
            if hits := by_claim.get(key.claim):
                return hits
        return ()

    async def _disowned(
        self, owners: Mapping[TargetId, SourceId], met: Mapping[TargetId, set[SourceId]]
    ) -> Sequence[TargetId]:
        """Accounts whose owner has another one, or, known by the anchor alone, is there: then he should have met it."""
        store, job = self.bench.ports.store, self.job
        linked = await store.digests(job.lane, list(owners.values()))
        there = await store.resources(job.source, job.resource_type, list(owners.values()))
        return [one for one, person in owners.items() if person in linked or (one not in met and person in there)]

    async def _link(self, owners: Mapping[TargetId, SourceId]) -> None:
        links: list[Link] = []

        async def read(one: tuple[TargetId, SourceId]) -> None:
            target_id, source_id = one
            try:
                account = await read_account(self.bench.session, self.bench.retrier, self.job, target_id)
            except OF_ONE_RESOURCE:
                return  # the next comparison finds it again
            if account is not None:
                image = take_image(self.job.mapping, account)
                unknown = Fingerprint(b"")
                links.append(Link(source_id, target_id, account.version, image, unknown, enabled=True))

        await for_each(owners.items(), read, self.job.concurrency)
        now = self.bench.ports.runtime.now()
        waiting = [Unsettled(link.source_id, STATE_LOST, 0, now) for link in links]
        await self.bench.ports.store.record(
            self.job.lane, Record(links=links, unsettled=waiting, found=[link.source_id for link in links])
        )

    def _line(self, target_id: TargetId, source_id: SourceId | None) -> LogEntry:
        lines = LogLines(self.job, self.bench.ports, self.bench.cycle)
        detail = "active, and nobody in scope has it" + ("" if source_id else "; whose it is can't be told")
        return replace(lines.of_comparison(source_id, target_id, STATE_LOST), detail=detail)
