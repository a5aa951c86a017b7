"""The third pass: the rows of the plan become requests, and their outcomes become state.

An intent is in the store before its request leaves, and goes with the outcome. A create whose end is unknown is looked
for before it is sent again; one that the target refuses as a duplicate is looked for before anything is said about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from usher.contracts.store import Intent
from usher.contracts.target import TargetSession
from usher.core.errors import (
    IncompleteRead,
    NotSent,
    OutcomeUnknown,
    ResourceError,
    StaleImage,
    UniquenessTaken,
    UsherError,
)
from usher.core.model.plans import (
    Action,
    Create,
    Done,
    Failed,
    Outcome,
    PlannedChange,
    Replace,
    Stored,
    Unsure,
    Update,
)
from usher.core.model.resources import AttributePath, Json, TargetResource
from usher.core.scim.schemas import equal
from usher.core.sync.matching import DUPLICATE_TARGET, OWNED_BY_OTHER
from usher.core.sync.planning import take_image
from usher.core.sync.recording import ignored_edits, link_after
from usher.engine.concurrency import for_each
from usher.engine.job import Control, Job, Ports
from usher.engine.lookup import Lookup
from usher.engine.recorder import Recorder
from usher.engine.retry import Retrier

_TRIES: Final = 3
"""How often one change is tried when its end is unknown, each time after a look."""


@dataclass(frozen=True, slots=True)
class Applier:
    """Applies single changes in one session."""

    job: Job
    ports: Ports
    session: TargetSession
    retrier: Retrier

    async def apply(self, change: PlannedChange) -> Outcome:
        """One change to its outcome. Raises CycleError only; everything that concerns one person is an outcome."""
        try:
            match change.action:
                case Action.LINK:
                    return Done(change, link_after(self.job.mapping, change, None))
                case Action.CREATE:
                    return await self._create(change)
                case Action.UPDATE | Action.DISABLE:
                    return await self._update(change)
        except OutcomeUnknown as error:
            return Unsure(change, error.reason, error.detail or error.message)
        except (ResourceError, NotSent, IncompleteRead) as error:
            return _failed(change, error)

    # --- create

    async def _create(self, change: PlannedChange) -> Outcome:
        body = Create(self.job.resource_type, _values_of(change))
        for _ in range(_TRIES):
            try:
                stored = await self.retrier.write(lambda: self.session.create(body))
            except OutcomeUnknown:
                hits = await self._look(change)
                if hits:
                    return await self._adopt(change, hits)
            except UniquenessTaken as error:
                hits = await self._look(change)
                return await self._adopt(change, hits) if hits else _failed(change, error)
            else:
                return Done(change, link_after(self.job.mapping, change, stored))
        return Unsure(
            change, "CreateOutcomeUnknown", f"{_TRIES} creates had no known end, and no look-up found the account"
        )

    async def _look(self, change: PlannedChange) -> Sequence[TargetResource]:
        return await Lookup(self.job, self.session, self.retrier).find_first(change.keys)

    async def _adopt(self, change: PlannedChange, hits: Sequence[TargetResource]) -> Outcome:
        """The account is there after all.

        By the matching rule it is the person's, unless it is somebody else's already.
        """
        if len(hits) > 1:
            return Failed(change, DUPLICATE_TARGET, "clashes with " + ", ".join(hit.id for hit in hits[:10]))
        found = hits[0]
        owner = (await self.ports.store.owners(self.job.address, [found.id])).get(found.id)
        if owner is not None and (owner.connector, owner.source_id) != (self.job.connector, change.source_id):
            return Failed(change, OWNED_BY_OTHER, f"{found.id} is linked by {owner.connector}")
        image = take_image(self.job.mapping, found)
        definitions = self.job.mapping.definitions
        delta = {
            path: edit
            for path, edit in change.delta.items()
            if isinstance(edit, Replace)
            and path not in change.create_only
            and not equal(definitions.get(path), edit.value, image.get(path))
        }
        known = replace(change, target_id=found.id, before=image, delta=delta, version=found.version)
        if delta:
            return await self._update(known)
        return Done(change, link_after(self.job.mapping, known, None))

    # --- update

    async def _update(self, change: PlannedChange) -> Outcome:
        for _ in range(_TRIES):
            try:
                stored = await self._send_update(change)
            except (StaleImage, OutcomeUnknown) as error:
                current = await self._read(change)
                if current is None:
                    raise ResourceError(error.message, reason="InvalidAnchor") from error
                change = self._rebase(change, current)
                if not change.delta:
                    return Done(change, link_after(self.job.mapping, change, None))
            else:
                if ignored := ignored_edits(self.job.mapping, change, stored):
                    return Failed(
                        change, "ChangeIgnored", f"the target confirmed, and kept its value of {', '.join(ignored)}"
                    )
                return Done(change, link_after(self.job.mapping, change, stored))
        return Unsure(change, "Conflict", f"{_TRIES} updates were overtaken or had no known end")

    async def _send_update(self, change: PlannedChange) -> Stored:
        if change.target_id is None:
            message = "an update needs the id of an account"
            raise ValueError(message)
        body = Update(self.job.resource_type, change.target_id, change.delta, change.before, change.version)
        return await self.retrier.write(lambda: self.session.update(body))

    async def _read(self, change: PlannedChange) -> TargetResource | None:
        target_id = change.target_id
        if target_id is None:
            return None
        return await self.retrier.read(
            lambda: self.session.get(self.job.resource_type, target_id, self.job.mapping.paths)
        )

    def _rebase(self, change: PlannedChange, current: TargetResource) -> PlannedChange:
        """The same wish on the resource as it is now: edits that are there already fall away."""
        image = take_image(self.job.mapping, current)
        definitions = self.job.mapping.definitions
        delta = {
            path: edit
            for path, edit in change.delta.items()
            if not (isinstance(edit, Replace) and equal(definitions.get(path), edit.value, image.get(path)))
        }
        return replace(change, before=image, delta=delta, version=current.version)


async def apply_rows(applier: Applier, recorder: Recorder, rows: Sequence[PlannedChange], control: Control) -> None:
    """One chunk of rows that may run together.

    Intents first, then the requests, each outcome handed to the recorder.
    """
    intents = [
        Intent(row.source_id, row.action, row.keys if row.action is Action.CREATE else ())
        for row in rows
        if row.action is not Action.LINK
    ]
    await applier.ports.store.write_intents(applier.job.connector, intents)

    async def one(row: PlannedChange) -> None:
        if not control.stop.is_set():
            await recorder.add(await applier.apply(row))
            control.progress.advance(1)

    await for_each(rows, one, applier.job.concurrency)


def _values_of(change: PlannedChange) -> dict[AttributePath, Json]:
    return {path: edit.value for path, edit in change.delta.items() if isinstance(edit, Replace)}


def _failed(change: PlannedChange, error: UsherError) -> Failed:
    return Failed(change, error.reason, error.detail or error.message)
