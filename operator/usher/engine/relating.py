"""References on their way to the target: accounts are looked up as they are now, and a big set goes in many requests.

An edit that names many accounts is refused as a whole where one of them is refused: so it is halved until that one is
alone, and the others have got what they were to get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from usher.contracts.target import TargetSession
from usher.core.errors import (
    OF_ONE_RESOURCE,
    IncompleteRead,
    NotSent,
    OutcomeUnknown,
    ResourceError,
    ResourceGone,
    StaleImage,
    UsherError,
)
from usher.core.model.outcomes import Done, Outcome, Partly
from usher.core.model.plans import (
    Amend,
    Edit,
    PlannedChange,
    PlannedEdit,
    Refer,
    Replace,
    Stored,
    Update,
    Withheld,
)
from usher.core.model.resources import AttributePath, Holding, Json, Link, TargetId
from usher.core.scim.references import referenced
from usher.core.sync.recording import CHANGE_IGNORED
from usher.core.sync.rules import Reference
from usher.engine.expecting import Expecting, Known
from usher.engine.job import Job
from usher.engine.reading import read_account, read_references
from usher.engine.retry import Retrier

_LOOKS: Final = 3
"""How often the accounts are read anew when nobody knows what came of a request."""


@dataclass(slots=True)
class _Work:
    """One attribute of one holder while it is brought up to date. `held` grows with what the target confirmed.

    `known` is False once nobody knows what it holds.
    """

    link: Link
    reference: Reference
    held: dict[TargetId, None]
    expected: Known
    failures: list[UsherError] = field(default_factory=list)
    looks: int = 0
    known: bool = True


@dataclass(frozen=True, slots=True)
class Relating:
    """Gives and takes references in one session, each row after it was expected."""

    lane: Job
    session: TargetSession
    retrier: Retrier
    expecting: Expecting

    async def apply(self, change: PlannedChange) -> Outcome:
        """One of the rows that were expected. Raises as the session does, where nothing was done."""
        known = self.expecting.take(change.source_id)
        if known.failure is not None:
            raise known.failure
        link, held = known.link, dict(known.held)
        failures: list[UsherError] = []
        for reference in self.lane.mapping.references:
            edit = change.delta.get(reference.path)
            if edit is not None:
                work = _Work(link, reference, dict.fromkeys(held[reference.path]), known)
                await self._bring(work, edit)
                link, failures = work.link, failures + work.failures
                held.pop(reference.path, None)
                held |= {reference.path: tuple(work.held)} if work.known else {}
        confirmed = {path: tuple(ids) for path, ids in held.items()}
        return _outcome(replace(change, target_id=link.target_id), link, Holding(link.target_id, confirmed), failures)

    async def _bring(self, work: _Work, edit: PlannedEdit) -> None:
        """Raises ResourceGone and CycleError; what else goes wrong is noted, with what was done before it."""
        try:
            await self._edit(work, edit)
        except ResourceGone:
            raise
        except OutcomeUnknown as error:
            work.known = False
            work.failures.append(error)
        except (ResourceError, NotSent, IncompleteRead) as error:
            work.failures.append(error)

    async def _edit(self, work: _Work, edit: PlannedEdit) -> None:
        match edit:
            case Refer() if work.reference.several:
                await self._change(work, _addition, work.expected.accounts(edit))
            case Refer():
                for account in work.expected.accounts(edit)[:1]:
                    await self._set(work, account)
            case Amend(remove=remove):
                await self._change(work, _removal, list(map(TargetId, _ids(remove))))
            case Replace():
                await self._set(work, None)
            case Withheld():
                message = "a reference is never withheld"
                raise ValueError(message)

    # --- several

    async def _change(self, work: _Work, edit: _SetEdit, ids: Sequence[TargetId]) -> None:
        most = max(1, self.session.capabilities.members_a_request)
        for start in range(0, len(ids), most):
            await self._change_some(work, edit, ids[start : start + most])

    async def _change_some(self, work: _Work, edit: _SetEdit, ids: Sequence[TargetId]) -> None:
        removes = edit is _removal
        due = [one for one in ids if (one in work.held) is removes]
        if not due:
            return
        try:
            await self._send(work, edit(tuple({"value": one} for one in due)), None)
        except (StaleImage, OutcomeUnknown) as error:
            await self._look_again(work, error)
        except ResourceGone:
            raise
        except ResourceError as error:
            if len(due) == 1:
                work.failures.append(error)
                return
        else:
            work.held = _after(work.held, due, edit)
            return
        middle = len(due) // 2
        for half in (due[:middle], due[middle:]):
            await self._change_some(work, edit, half)

    async def _look_again(self, work: _Work, error: StaleImage | OutcomeUnknown) -> None:
        work.looks += 1
        if work.looks > _LOOKS:
            raise OutcomeUnknown(error.message, reason=error.reason, detail=error.detail) from error
        try:
            held = await read_references(
                self.session, self.retrier, self.lane, work.link.target_id, work.reference.path
            )
        except ResourceGone:
            raise
        except OF_ONE_RESOURCE as failed:  # what was sent may have had its effect, and nobody has seen it
            raise OutcomeUnknown(error.message, reason=error.reason, detail=failed.detail or failed.message) from failed
        work.held = dict.fromkeys(held)

    # --- one

    async def _set(self, work: _Work, account: TargetId | None) -> None:
        held = next(iter(work.held), None)
        if account != held:
            value: Json = None if account is None else {"value": account}
            await self._send(work, Replace(value), None if held is None else {"value": held})
            work.held = {} if account is None else {account: None}

    async def _send(self, work: _Work, edit: Edit, before: Json) -> None:
        """Sets need no precondition: whoever else changes the resource meanwhile changes something else of it."""
        path = work.reference.path
        body = Update(self.lane.resource_type, work.link.target_id, {path: edit}, {path: before}, None)
        try:
            stored = await self.retrier.write(lambda: self.session.update(body))
        except ResourceGone as error:
            if await read_account(self.session, self.retrier, self.lane, work.link.target_id) is None:
                raise
            raise StaleImage from error
        if _is_ignored(path, edit, stored):
            message = "the target confirmed a change of references, and kept what it had"
            raise OutcomeUnknown(message, reason=CHANGE_IGNORED)
        work.link = replace(work.link, target_id=stored.id, version=stored.version)


def _outcome(change: PlannedChange, link: Link, holding: Holding, failures: Sequence[UsherError]) -> Outcome:
    if not failures:
        return Done(change, link, holding)
    first = failures[0]
    detail = f"{len(failures)} not done; the first: {first.detail or first.message}"
    return Partly(change, link, holding, first.reason, detail)


_SetEdit: TypeAlias = Callable[[tuple[Json, ...]], Amend]


def _is_ignored(path: AttributePath, edit: Edit, stored: Stored) -> bool:
    """Whether the target's own answer shows that it did not do what it confirmed. Without the path it shows nothing."""
    shown = None if stored.echo is None else referenced(path, stored.echo.attributes)
    if not shown:
        return False
    match edit:
        case Amend(add=add, remove=remove):
            return not set(_ids(add)).issubset(shown) or not set(_ids(remove)).isdisjoint(shown)
        case Replace(value=value):
            return set(_ids((value,))) != set(shown)


def _ids(values: Sequence[Json]) -> Iterator[str]:
    return (str(one["value"]) for one in values if isinstance(one, dict))


def _addition(values: tuple[Json, ...]) -> Amend:
    return Amend(add=values)


def _removal(values: tuple[Json, ...]) -> Amend:
    return Amend(remove=values)


def _after(held: dict[TargetId, None], changed: Sequence[TargetId], edit: _SetEdit) -> dict[TargetId, None]:
    if edit is _addition:
        return {**held, **dict.fromkeys(changed)}
    gone = set(changed)
    return {one: None for one in held if one not in gone}
