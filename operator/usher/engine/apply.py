"""The third pass: the rows of the plan become requests, and their outcomes become state.

An intent is in the store before its request leaves, and goes with the outcome. A create whose end is unknown is looked
for before it is sent again; one that the target refuses as a duplicate is looked for before anything is said about it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from usher.contracts.target import TargetSession
from usher.core.errors import (
    IncompleteRead,
    NotSent,
    OutcomeUnknown,
    ResourceError,
    ResourceGone,
    StaleImage,
    UniquenessTaken,
    UsherError,
)
from usher.core.model.outcomes import Deleted, Done, Failed, Instead, Outcome, Unsure
from usher.core.model.plans import (
    Action,
    Amend,
    Create,
    Delete,
    Delta,
    Phase,
    PlannedChange,
    Replace,
    Stored,
    Update,
    Withheld,
)
from usher.core.model.resources import TargetResource
from usher.core.sync.leaving import Writes
from usher.core.sync.matching import DUPLICATE_TARGET, OWNED_BY_OTHER, Adopt
from usher.core.sync.planning import ADOPTED, CREATE_UNKNOWN, still_due, take_image
from usher.core.sync.recording import CHANGE_IGNORED, ignored_edits, known_id, link_after
from usher.core.sync.untouchable import NEVER_TOUCH
from usher.engine.job import Job, Ports
from usher.engine.licences import Licences
from usher.engine.lookup import Lookup
from usher.engine.reading import read_account
from usher.engine.relating import Relating
from usher.engine.retry import Retrier

ResultT = TypeVar("ResultT")

_TRIES: Final = 3
"""How often one update is tried when it was overtaken or its end is unknown, each time after the account was read."""


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies single changes in one session."""

    job: Job
    ports: Ports
    session: TargetSession
    retrier: Retrier
    relating: Relating
    licences: Licences

    async def apply(self, change: PlannedChange) -> Outcome:
        """One change to its outcome.

        Raises CycleError only; everything that concerns one person is an outcome.
        """
        try:
            self.licences.spare(self.job, change)
            return await self._carry_out(change)
        except OutcomeUnknown as error:
            return Unsure(change, error.reason, error.detail or error.message)
        except (ResourceError, NotSent, IncompleteRead) as error:
            self.licences.note(self.job, change, error)
            return _failed(change, error)

    async def _carry_out(self, change: PlannedChange) -> Outcome:
        match change.action:
            case Action.CREATE:
                return await self._create(change)
            case Action.DELETE:
                return await self._delete(change)
            case Action.REMOVE | Action.REFER:
                return await self.relating.apply(change)
            case Action.LINK | Action.UPDATE | Action.DISABLE if change.delta:
                return await self._update(change)
            case Action.LINK | Action.UPDATE | Action.DISABLE:
                return Done(change, link_after(self.job.mapping, change, None))

    async def _delta(self, change: PlannedChange) -> Delta:
        """The edits with the values that no plan holds, which are made again from the source.

        Raises ResourceError where the source has changed since the plan was made.
        """
        known = {path: edit for path, edit in change.delta.items() if isinstance(edit, Replace | Amend)}
        if len(known) == len(change.delta):
            return known
        job = self.job
        people = await self.ports.store.resources(job.source, job.resource_type, [change.source_id])
        person = people.get(change.source_id)
        values = {} if person is None else job.map(person).besides.withheld
        for path, edit in change.delta.items():
            if isinstance(edit, Withheld):
                value = values.get(path)
                if value is None or (edit.seal and job.mapping.seal(value) != edit.seal):
                    message = f"{path} changed at the source after the plan was made"
                    raise ResourceError(message, reason="Conflict")
                known[path] = Replace(value)
        return known

    # --- create

    async def _create(self, change: PlannedChange) -> Outcome:
        """A create whose end is unknown is looked for, and never sent again by this cycle.

        The account may only not be visible yet: the next cycle looks once more before it creates anything.
        """
        values = {path: edit.value for path, edit in (await self._delta(change)).items() if isinstance(edit, Replace)}
        body = Create(self.job.resource_type, values)
        try:
            stored = await self.retrier.write(lambda: self.session.create(body))
        except OutcomeUnknown as error:
            hits = await _look_after(error, self._look(change))
            if hits:
                return await _or_unsure(change, self._adopt(change, hits))
            return Unsure(change, CREATE_UNKNOWN, error.detail or error.message)
        except UniquenessTaken as error:
            return await _or_unsure(change, self._refused(change, error))
        return Done(change, link_after(self.job.mapping, change, stored))

    async def _refused(self, change: PlannedChange, error: UniquenessTaken) -> Outcome:
        """What the app speaks of may have been made by this very request."""
        hits = await self._look(change) if self.job.adopt is Adopt.ALWAYS else ()
        if hits:
            return await self._adopt(replace(change, action=Action.LINK, cause=ADOPTED), hits)
        if self.job.settle:  # and be hidden yet
            return Unsure(change, error.reason, error.detail or error.message)
        return _failed(change, error)

    async def _look(self, change: PlannedChange) -> Sequence[TargetResource]:
        return await Lookup(self.job, self.session, self.retrier).find_first(change.keys)

    async def _adopt(self, change: PlannedChange, hits: Sequence[TargetResource]) -> Outcome:
        """The account is there after all.

        By the matching rule it is the person's, unless it is somebody else's already.
        """
        if len(hits) > 1:
            return Failed(change, DUPLICATE_TARGET, "clashes with " + ", ".join(hit.id for hit in hits[:10]))
        found = hits[0]
        owner = (await self.job.owners(self.ports.store, [found.id])).get(found.id)
        if owner is not None and (owner.connector, owner.source_id) != (self.job.connector, change.source_id):
            return Failed(change, OWNED_BY_OTHER, f"{found.id} is linked by {owner.connector}")
        image = take_image(self.job.mapping, found)
        if self.job.mapping.untouchable.covers(image):
            return Failed(change, NEVER_TOUCH, f"the account {found.id} is there already, and is never written")
        due = still_due(self.job.mapping, change, image)
        delta = {path: edit for path, edit in due.items() if path not in change.create_only}
        known = replace(change, target_id=found.id, before=image, delta=delta, version=found.version)
        if not delta:
            return Done(known, link_after(self.job.mapping, known, None))
        if known.action is Action.LINK:
            known = replace(known, action=Action.UPDATE)
        return await self._update(known)

    async def _delete(self, change: PlannedChange) -> Outcome:
        """Gone already is success, where a read says the same; where nobody knows, the next cycle looks for it.

        At a target that refuses to delete it, the account of somebody who left is at least disabled.
        """
        try:
            await self.retrier.write(lambda: self.session.delete(Delete(self.job.resource_type, known_id(change))))
        except ResourceGone as error:
            if await self._read(change) is not None:
                return Unsure(change, "Conflict", f"the target said of it, and then took back: {error.message}")
        except ResourceError as error:
            path = self.job.mapping.disable_path
            if path is None or change.before.get(path) is False or Writes.UPDATE not in self.job.mapping.writes:
                raise
            disable = replace(change, action=Action.DISABLE, phase=Phase.DISABLE, delta={path: Replace(value=False)})
            done = await self._update(disable)
            return Instead(done, _failed(change, error)) if isinstance(done, Done) else done
        return Deleted(change)

    # --- update

    async def _update(self, change: PlannedChange) -> Outcome:
        unknown: OutcomeUnknown | None = None
        for _ in range(_TRIES):
            try:
                stored = await self._send_update(change)
            except (StaleImage, OutcomeUnknown, ResourceGone) as error:
                unknown = error if isinstance(error, OutcomeUnknown) else unknown
                current = await _look_after(unknown, self._read(change))
                if current is None:
                    raise ResourceError(error.message, reason="InvalidAnchor") from error
                change = self._rebase(change, current)
                if (end := self._end_without_request(change)) is not None:
                    return end
            except (ResourceError, NotSent) as error:
                if unknown is None or error.reason == "InvalidAnchor":
                    raise
                return Unsure(change, unknown.reason, error.detail or error.message)
            else:
                return self._conclude(change, stored)
        return Unsure(change, "Conflict", f"{_TRIES} updates were overtaken or had no known end")

    def _end_without_request(self, change: PlannedChange) -> Outcome | None:
        """What came of a change where the account, as it is now, leaves nothing to be sent."""
        if self.job.mapping.untouchable.covers(change.before):
            return Failed(change, NEVER_TOUCH, "the account is one by now that is never written")
        return None if change.delta else Done(change, link_after(self.job.mapping, change, None))

    def _conclude(self, change: PlannedChange, stored: Stored) -> Outcome:
        """What was confirmed and not done may have been done in part: the account is read again before the next try."""
        if ignored := ignored_edits(self.job.mapping, change, stored):
            detail = f"the target confirmed, and kept its value of {', '.join(ignored)}"
            return Unsure(change, CHANGE_IGNORED, detail)
        return Done(change, link_after(self.job.mapping, change, stored))

    async def _send_update(self, change: PlannedChange) -> Stored:
        if change.target_id is None:
            message = "an update needs the id of an account"
            raise ValueError(message)
        delta = await self._delta(change)
        body = Update(self.job.resource_type, change.target_id, delta, change.before, change.version)
        return await self.retrier.write(lambda: self.session.update(body))

    async def _read(self, change: PlannedChange) -> TargetResource | None:
        if change.target_id is None:
            return None
        return await read_account(self.session, self.retrier, self.job, change.target_id)

    def _rebase(self, change: PlannedChange, current: TargetResource) -> PlannedChange:
        """The same wish on the resource as it is now.

        Edits that are there already fall away, and so do defaults for what has a value by now.
        """
        image = take_image(self.job.mapping, current)
        delta = still_due(self.job.mapping, change, image)
        return replace(change, before=image, delta=delta, version=current.version)


async def _look_after(unknown: OutcomeUnknown | None, look: Awaitable[ResultT]) -> ResultT:
    """The result of a look. One that fails leaves unknown what was unknown before it."""
    try:
        return await look
    except (ResourceError, NotSent, IncompleteRead) as error:
        if unknown is None:
            raise
        raise OutcomeUnknown(unknown.message, reason=unknown.reason, detail=error.detail or error.message) from error


async def _or_unsure(create: PlannedChange, found: Awaitable[Outcome]) -> Outcome:
    """What became of an account that this create may have made. Until it is linked, only the intent knows of it."""
    try:
        return await found
    except (ResourceError, NotSent, IncompleteRead) as error:
        return Unsure(create, error.reason, error.detail or error.message)


def _failed(change: PlannedChange, error: UsherError) -> Failed:
    return Failed(change, error.reason, error.detail or error.message)
