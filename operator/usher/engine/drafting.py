"""The second pass: the people who are due, in chunks, from their situation to the rows of the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from usher.contracts.target import TargetSession
from usher.core.errors import OF_ONE_RESOURCE, ResourceError
from usher.core.model.plans import Action, Desired, Linked, Matched, PlannedChange, Situation, Skip, Unmatched
from usher.core.model.resources import (
    Fingerprint,
    Holding,
    Link,
    ResourceType,
    SourceId,
    SourceResource,
    TargetResource,
)
from usher.core.sync.leaving import UNASSIGNED, Departure, Policy, Writes, decide
from usher.core.sync.mapping import map_departed
from usher.core.sync.moves import KeyMove
from usher.core.sync.planning import Planned, plan_change, take_image
from usher.core.sync.references import read_holding
from usher.engine.choosing import Choices, Choosing
from usher.engine.concurrency import for_each, in_chunks, one_ahead, writing_behind
from usher.engine.evaluation import Batch
from usher.engine.job import Control, Job, Ports
from usher.engine.lookup import failed_look
from usher.engine.matching import Matching
from usher.engine.ordering import order_moves, settle_contested
from usher.engine.progress import Stage
from usher.engine.reading import read_account
from usher.engine.retry import Retrier
from usher.engine.sparing import Sparing
from usher.engine.stowing import CHUNK

SCOPE_UNRESOLVED: Final = "ScopeUnresolved"
_WAITS: Final = "is not assigned, which says nothing while an entry of the scope is not understood"


@dataclass(slots=True)
class Draft:
    """The plan before anybody asked whether it is safe. `destructive` are its changes that take something away.

    What the state has to learn before the apply: `lost` links whose account is gone, `adopted` links to accounts that
    an unfinished request left behind, `closed` intents that came to nothing, `holding` what the references of accounts
    are that were found. `ripening` are disabled accounts that are to be deleted when that has lasted, and `spared`
    those of which that is not so any more.
    """

    skips: list[Skip] = field(default_factory=list)
    settled: list[SourceId] = field(default_factory=list)
    destructive: list[PlannedChange] = field(default_factory=list)
    actions: Counter[Action] = field(default_factory=Counter)
    unchanged: int = 0
    lost: list[SourceId] = field(default_factory=list)
    adopted: list[Link] = field(default_factory=list)
    closed: list[SourceId] = field(default_factory=list)
    holding: dict[SourceId, Holding] = field(default_factory=dict)
    ripening: list[SourceId] = field(default_factory=list)
    spared: list[SourceId] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Due:
    """Some people who are to be planned: `wanted` has the fingerprint of what was desired, None for the departed.

    `count` is how many they were before those were left out whose look-up failed. Of `told` the source itself has said
    that they are deleted.
    """

    count: int
    wanted: Mapping[SourceId, Fingerprint | None]
    people: Mapping[SourceId, SourceResource]
    links: Mapping[SourceId, Link]
    told: Collection[SourceId]


@dataclass(frozen=True, slots=True)
class Drafting:
    """Plans one batch in one session. Nothing is written but the running plan."""

    job: Job
    ports: Ports
    session: TargetSession
    retrier: Retrier
    control: Control

    async def draft(self, batch: Batch) -> Draft:
        """Writes the rows of the running plan and returns what is to be known about them."""
        draft = Draft(list(batch.skips), [*batch.settled, *batch.gone], unchanged=batch.unchanged)
        known = await self._read_again(batch, draft)
        met, failures = await Matching(self.job, self.ports, self.session, self.retrier, self.control).match(batch)
        known |= met
        draft.skips.extend(failed_look(i, error, batch.duty_to(i)) for i, error in failures.items())
        await self.ports.store.clear_plan(self.job.lane)
        failed = {skip.source_id for skip in draft.skips}
        self.control.progress.enter(Stage.PLAN, len(batch.due) + len(batch.departed))
        moves: list[KeyMove] = []
        choosing = Choosing(self.job, self.session, self.retrier)
        sparing = Sparing(self.job, self.session, self.retrier)
        async with writing_behind() as behind, aclosing(one_ahead(self._read_due(batch, failed))) as chunks:
            async for due in chunks:
                planned, choices = self._plan_chunk(due, known, draft, batch.ripe)
                planned = await self._read_unseen(planned, due, batch.ripe)
                rows, chunk_moves = await settle_contested(self.job, self.ports.store, planned)
                rows = sparing.spare(await choosing.complete(rows, choices) if choices else rows)
                moves.extend(chunk_moves)
                for source_id, outcome in rows.items():
                    _note(draft, batch, source_id, outcome)
                changes = [row for row in rows.values() if isinstance(row, PlannedChange)]
                await behind.start(partial(self.ports.store.add_changes, self.job.lane, changes))
                self.control.progress.advance(due.count)
        await order_moves(self.job, self.ports.store, moves)
        return draft

    # --- situations

    async def _read_again(self, batch: Batch, draft: Draft) -> dict[SourceId, Situation]:
        """Reads the accounts of those whose last request has an unknown end: the stored image is not to be trusted."""
        links = await self.ports.store.links(self.job.lane, list(batch.again))
        situations: dict[SourceId, Situation] = {}

        async def look(link: Link) -> None:
            try:
                current = await read_account(self.session, self.retrier, self.job, link.target_id)
            except OF_ONE_RESOURCE as error:
                draft.skips.append(failed_look(link.source_id, error, batch.duty_to(link.source_id)))
                return
            if self.control.stop.is_set():
                return
            if current is None:
                draft.lost.append(link.source_id)
                situations[link.source_id] = Unmatched()
            else:
                situations[link.source_id] = Linked(link, current)

        await for_each(links.values(), look, self.job.concurrency)
        await self._match_the_lost(batch, draft.lost)
        return situations

    async def _match_the_lost(self, batch: Batch, lost: Sequence[SourceId]) -> None:
        """Their accounts are gone: they are matched like everybody who has no link."""
        people = await self.job.people(self.ports.store, lost)
        for source_id, resource in people.items():
            try:
                batch.unlinked.append((source_id, self.job.map(resource).keys))
            except ResourceError:
                continue  # the first pass has reported it

    # --- rows

    async def _read_due(self, batch: Batch, failed: Collection[SourceId]) -> AsyncGenerator[_Due, None]:
        store, job = self.ports.store, self.job
        for chunk in _all_due(batch):
            if self.control.stop.is_set():
                return
            wanted = {source_id: print_ for source_id, print_ in chunk if source_id not in failed}
            people = await job.people(store, wanted)
            links = await store.links(job.lane, wanted)
            yield _Due(len(chunk), wanted, people, links, await self._told(wanted))

    async def _told(self, wanted: Mapping[SourceId, Fingerprint | None]) -> Collection[SourceId]:
        """Asked only where anything follows from it."""
        departed = [source_id for source_id, print_ in wanted.items() if print_ is None]
        if not departed or self.job.deprovisioning.on_source_deleted is not Policy.DELETE:
            return ()
        return await self.ports.store.told_deleted(self.job.source, self.job.resource_type, departed)

    def _plan_chunk(
        self, due: _Due, known: Mapping[SourceId, Situation], draft: Draft, ripe: Collection[SourceId]
    ) -> tuple[dict[SourceId, Planned], dict[SourceId, Choices]]:
        """The rows of these people; and for new accounts the values that have still to be chosen."""
        people, links = due.people, due.links
        planned: dict[SourceId, Planned] = {}
        choices: dict[SourceId, Choices] = {}
        for source_id, former in due.wanted.items():
            desired = self._still_wanted(source_id, people.get(source_id), former)
            if desired is None:
                continue
            link = links.get(source_id)
            situation = known.get(source_id) or (Unmatched() if link is None else Linked(link))
            if not desired.active and isinstance(situation, Matched):
                situation = self._own(desired, situation, draft)
            if desired.cause == UNASSIGNED and not self.job.whole and isinstance(situation, Linked):
                waits = situation.link.enabled or source_id in ripe
                planned[source_id] = Skip(source_id, SCOPE_UNRESOLVED, _WAITS, settled=False) if waits else None
                continue
            row = plan_change(self.job.mapping, desired, situation, self._leaver(desired, due, ripe))
            planned[source_id] = row
            if isinstance(situation, Linked) and not situation.link.enabled:
                self._note_waiting(draft, desired, row)
            if isinstance(situation, Matched) and isinstance(row, PlannedChange) and self.job.mapping.references:
                draft.holding[source_id] = read_holding(self.job.mapping, situation.found)
            if desired.besides.choices and isinstance(row, PlannedChange) and row.action is Action.CREATE:
                choices[source_id] = desired.besides.choices
        return planned, choices

    async def _read_unseen(
        self, planned: dict[SourceId, Planned], due: _Due, ripe: Collection[SourceId]
    ) -> dict[SourceId, Planned]:
        """The rows, of which none is about an account that may be one that is never written, and was not seen."""
        if not self.job.mapping.untouchable:
            return planned

        def plan_again(source_id: SourceId, current: TargetResource) -> Planned:
            desired = self._still_wanted(source_id, due.people.get(source_id), due.wanted[source_id])
            if desired is None:
                return planned[source_id]
            situation = Linked(due.links[source_id], current)
            return plan_change(self.job.mapping, desired, situation, self._leaver(desired, due, ripe))

        return await Sparing(self.job, self.session, self.retrier).read_unseen(planned, plan_again)

    def _leaver(self, desired: Desired, due: _Due, ripe: Collection[SourceId]) -> Policy:
        mapping, source_id = self.job.mapping, desired.source_id
        departure = Departure(
            told=source_id in due.told,
            ripe=source_id in ripe,
            disables=mapping.disable_path is not None or self._empties(),
            deletes=Writes.DELETE in mapping.writes,
        )
        return decide(self.job.deprovisioning, desired.cause, departure)

    def _empties(self) -> bool:
        """A group can't be disabled. While it waits for its deletion it is emptied, where there is a time to wait."""
        group = self.job.resource_type is ResourceType.GROUP
        return group and self.job.deprovisioning.delete_after is not None

    def _note_waiting(self, draft: Draft, desired: Desired, row: Planned) -> None:
        """Of an account that is disabled already: whether it waits to be deleted from now on, or waits no more."""
        deletes = not desired.active and self.job.deprovisioning.of(desired.cause) is Policy.DELETE
        if deletes and row is None:
            draft.ripening.append(desired.source_id)
        elif not deletes:
            draft.spared.append(desired.source_id)

    def _still_wanted(
        self, source_id: SourceId, person: SourceResource | None, former: Fingerprint | None
    ) -> Desired | None:
        """What the first pass found of the person; None for somebody whom a newer snapshot has changed meanwhile.

        Those come in the feed of the next cycle: what they are now was neither matched nor counted in this one.
        """
        if former is None or person is None:
            gone = former is None and person is None
            return map_departed(self.job.mapping, source_id, self.job.absence) if gone else None
        try:
            desired = self.job.map(person)
        except ResourceError:
            return None
        return desired if desired.fingerprint == former else None

    def _own(self, desired: Desired, situation: Matched, draft: Draft) -> Situation:
        """The account that an unfinished request of ours left behind belongs to the person, who has left meanwhile."""
        link = self._link_to(desired.source_id, situation.found)
        draft.adopted.append(link)
        return Linked(link, situation.found)

    def _link_to(self, source_id: SourceId, found: TargetResource) -> Link:
        image = take_image(self.job.mapping, found)
        return Link(source_id, found.id, found.version, image, Fingerprint(b""), enabled=True)


def _all_due(batch: Batch) -> Iterator[Sequence[tuple[SourceId, Fingerprint | None]]]:
    """Chunks of the people to plan: those whom the source has with a fingerprint, the departed without one."""
    yield from batch.due.chunks()
    for departed in in_chunks(batch.departed, CHUNK):
        yield [(source_id, None) for source_id in departed]


def _note(draft: Draft, batch: Batch, source_id: SourceId, planned: Planned) -> None:
    match planned:
        case None:
            draft.unchanged += 1
            draft.settled.append(source_id)
        case Skip():
            draft.holding.pop(source_id, None)
            draft.skips.append(planned)
            if planned.settled and source_id in batch.again:
                draft.closed.append(source_id)
        case PlannedChange():
            draft.actions[planned.action] += 1
            if planned.destructive:
                draft.destructive.append(planned)
