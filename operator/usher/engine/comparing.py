"""The full comparison: every linked account is read, and what is not as the cycles before left it is known by then.

It runs before the people are evaluated, and only teaches the state what is at the target. What follows from that is
the ordinary cycle's: it plans on the images that were just read, and its budgets count what it takes away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Final

from usher.contracts.comparisons import Comparison
from usher.contracts.store import LinkDigest
from usher.contracts.target import Page
from usher.core.errors import OF_ONE_RESOURCE, IncompleteRead, NotSent, OutcomeUnknown, ResourceError
from usher.core.model.plans import Desired
from usher.core.model.reports import Compared, CycleKind
from usher.core.model.resources import Link, SourceId, SourceResource, TargetId, TargetResource
from usher.core.sync.drifting import find_drift
from usher.core.sync.mapping import map_departed
from usher.core.sync.matching import ANCHOR, MOST_CLAIMS, claims_met_by
from usher.core.sync.planning import take_image
from usher.core.sync.policies import Enforcement, OnStateLoss
from usher.core.sync.references import read_holding
from usher.engine.bench import Bench
from usher.engine.comparing_references import ReferenceComparison
from usher.engine.concurrency import for_each
from usher.engine.drift_notes import Census, DriftNotes, Unowned
from usher.engine.job import Job
from usher.engine.progress import Stage
from usher.engine.reading import read_account
from usher.engine.strays import Strays

MOST_ORPHANS: Final = 1000
"""So many orphans are named; the others are counted."""
_DAY: Final = timedelta(days=1)
_ATTEMPTS: Final = 3
_CANNOT_LIST: Final = "the app can't be listed: linked accounts were read one by one, and no others are known"
_LACKS: Final = "the app's list lacks accounts that a read by id finds: nothing is concluded from an absence in it"


class _Stopped(Exception):
    """Somebody ended the cycle."""


async def is_due(bench: Bench, job: Job) -> bool:
    """Whether the time since the last comparison is over; it begins with the first cycle that asks.

    One that is asked for is made at once. So it is after the state was lost, and again as long as it finds accounts
    that are to be disabled. A connector that only observes looks at all accounts in each cycle, and puts nothing back.
    """
    every, now, store = bench.job.compare_every, bench.ports.runtime.now(), bench.ports.store
    if job.ending or job.anew is not None or bench.job.enforcement is Enforcement.OBSERVE:
        return False
    if bench.control.asked is CycleKind.FULL_COMPARISON:
        return True
    last = await store.comparison(job.lane)
    if job.lost:
        found = None if last is None else last.found
        disables = bench.job.on_state_loss is OnStateLoss.DISABLE
        if last is None or found is None or (disables and found.strays):
            return True
        every = every or _DAY
    if every is None:
        return False
    if last is None:
        await store.save_comparison(job.lane, Comparison(now), ())
        return False
    return now - last.at >= every


async def compare(bench: Bench, job: Job) -> Census | None:
    """Reads every linked account of a lane; None where the cycle was stopped meanwhile. Raises CycleError.

    Each account is judged by what was read of itself. A linked account that the list lacks is asked for by its id, and
    only where that finds none is it gone: its person is matched again, or gets a new one.
    """
    _, total = await bench.ports.store.count_links(job.lane)
    bench.control.progress.enter(Stage.COMPARE, total)
    comparing = _Comparing(bench, job)
    try:
        await comparing.accounts()
        await comparing.references.compare_all()
    except _Stopped:
        return None
    return None if bench.control.stop.is_set() else comparing.census


async def compare_some(bench: Bench, job: Job, ids: Collection[SourceId]) -> None:
    """The same of a few, whose accounts are read by their ids: of others nothing is known. Raises CycleError."""
    digests = await bench.ports.store.digests(job.lane, ids)
    comparing = _Comparing(bench, job)
    try:
        await comparing.some(list(digests.values()))
    except _Stopped:
        return


async def conclude_comparison(bench: Bench, job: Job, census: Census) -> Compared:
    """Keeps what the comparison came to. Whose the other accounts could be is asked of claims that are up to date."""
    orphans: list[TargetId] = []
    astray: list[Unowned] = []
    count = 0
    for accounts in census.unowned.chunks():
        people = await bench.ports.store.claimants(job.lane, {claim for one in accounts for claim in one.claims})
        lonely = [one for one in accounts if not any(people.get(claim) for claim in one.claims)]
        count += len(lonely)
        orphans += [one.target_id for one in lonely[: MOST_ORPHANS - len(orphans)]]
        astray += [one for one in lonely if one.active] if job.lost else []
    found = Compared(
        compared=census.compared,
        drifted=census.drifted,
        reported=census.reported,
        missing=census.missing,
        orphans=count if census.listed else None,
        void=census.void,
        strays=await Strays(bench, job).settle(astray) if astray else 0,
    )
    await bench.ports.store.save_comparison(job.lane, Comparison(bench.ports.runtime.now(), found), orphans)
    return found


@dataclass(frozen=True, slots=True)
class _Comparing:
    """One comparison. Whatever it learns of an account is in the state before the next page is read."""

    bench: Bench
    job: Job
    census: Census = field(default_factory=Census)

    @property
    def references(self) -> ReferenceComparison:
        """That of references."""
        return ReferenceComparison(self.bench, self.job, self.census)

    async def accounts(self) -> None:
        for _ in range(_ATTEMPTS):
            try:
                seen = await self.bench.retrier.read(self._list)
                await self._look_for(seen)
            except IncompleteRead:
                continue
            except (ResourceError, NotSent, OutcomeUnknown):
                await self._read_each()
            return
        self.census.void = _LACKS

    async def some(self, links: Sequence[LinkDigest]) -> None:
        await self._look_at(await self._read(links))
        await self.references.compare_several([one.source_id for one in links])

    async def _list(self) -> set[TargetId]:
        """The ids of all accounts that the target lists."""
        self.census.begin()
        seen: set[TargetId] = set()
        async for item in self.bench.session.list(self.job.resource_type, self.job.mapping.paths):
            if isinstance(item, Page):
                await self._look_at(item.resources)
                seen.update(account.id for account in item.resources)
        return seen

    async def _look_for(self, seen: set[TargetId]) -> None:
        """Those who were not listed. Raises IncompleteRead where one of them is there all the same."""
        async for digests in self.bench.ports.store.link_digests(self.job.lane):
            unseen = [one for one in digests if one.enabled and one.target_id not in seen]
            if await self._read(unseen):
                raise IncompleteRead(_LACKS)

    async def _read_each(self) -> None:
        self.census.begin()
        self.census.listed, self.census.void = False, _CANNOT_LIST
        async for digests in self.bench.ports.store.link_digests(self.job.lane):
            await self._look_at(await self._read(digests))

    async def _read(self, links: Sequence[LinkDigest]) -> Sequence[TargetResource]:
        """The accounts of these links. Those that are gone lose their link; of a failed read nothing follows."""
        found: list[TargetResource] = []
        notes = self._notes()

        async def read(link: LinkDigest) -> None:
            self._go_on()
            try:
                current = await read_account(self.bench.session, self.bench.retrier, self.job, link.target_id)
            except OF_ONE_RESOURCE:
                return
            if current is not None:
                found.append(current)
            elif link.enabled:
                notes.add_missing(link)

        await for_each(links, read, self.job.concurrency)
        await notes.save()
        return found

    async def _look_at(self, accounts: Sequence[TargetResource]) -> None:
        """Some accounts: ours are held against what they should be, of the others the claims are kept."""
        self._go_on()
        store, job, mapping = self.bench.ports.store, self.job, self.job.mapping
        owners = await job.owners(store, [one.id for one in accounts])
        mine = {target: one.source_id for target, one in owners.items() if one.connector == job.connector}
        links = {link.target_id: link for link in (await store.links(job.lane, list(mine.values()))).values()}
        people = await job.people(store, list(mine.values()))
        notes = self._notes()
        ours = []
        for account in accounts:
            link = links.get(account.id)
            if mapping.untouchable and mapping.untouchable.covers(take_image(mapping, account)):
                continue
            if link is not None:
                self.census.compared += 1
                notes.add(link, find_drift(mapping, self._wanted(link, people), link, account))
                ours.append((link.source_id, account))
            elif account.id not in owners:
                self.census.unowned.append(self._unowned(account))
        await self._look_at_single(ours, notes)
        await notes.save()
        self.bench.control.progress.advance(len(mine))

    def _unowned(self, account: TargetResource) -> Unowned:
        mapping = self.job.mapping
        claims = islice(claims_met_by(mapping.matching, account.attributes), MOST_CLAIMS)
        disables, image = mapping.disable_path, take_image(mapping, account)
        anchor = next((value for path, value in image.items() if path.lower() == ANCHOR), None)
        active = disables is not None and image.get(disables) is not False
        return Unowned(account.id, [claim for claim, _ in claims], active, anchor if isinstance(anchor, str) else "")

    def _wanted(self, link: Link, people: Mapping[SourceId, SourceResource]) -> Desired | None:
        person = people.get(link.source_id)
        if person is None:
            return map_departed(self.job.mapping, link.source_id, self.job.absence)
        try:
            return self.job.map(person)
        except ResourceError:
            return None  # the evaluation reports it

    async def _look_at_single(self, accounts: Sequence[tuple[SourceId, TargetResource]], notes: DriftNotes) -> None:
        """References that hold one account at the most come with their holder."""
        if all(reference.several for reference in self.job.mapping.references):
            return
        holdings = await self.bench.ports.store.holdings(self.job.lane, [source_id for source_id, _ in accounts])
        for source_id, account in accounts:
            holding = holdings.get(source_id)
            if holding is not None and holding.target_id == account.id:
                now = read_holding(self.job.mapping, account).held
                await self.references.compare(source_id, holding, now, notes)

    def _notes(self) -> DriftNotes:
        return DriftNotes(self.bench, self.job, self.census)

    def _go_on(self) -> None:
        if self.bench.control.stop.is_set():
            raise _Stopped
