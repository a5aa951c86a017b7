"""Planned changes, with the values that people may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final

from pydantic import JsonValue

from usher.answers.form import Answer
from usher.answers.seeing import SECRET, seen
from usher.contracts.store import Store
from usher.core.model.plans import Action, Amend, PlannedChange, PlannedEdit, Refer, Replace, Withheld
from usher.core.model.resources import AttributePath, Json, ResourceType, SourceId, TargetId
from usher.core.sync.rules import CompiledMapping
from usher.engine.job import Job

OF_REFERENCES: Final = (Action.REMOVE, Action.REFER)


class EditLine(Answer):
    """What becomes of one attribute; only what applies is there.

    `old` and `new` of a value; `new` alone of a secret, which is not shown; `add` and `remove` of values among others;
    `refer` has the source ids of those who are referred to. Of references that are taken away `remove_accounts` are
    the accounts, and `remove_source_ids` in the same order whose they are, as far as they are the connector's.
    """

    path: str
    old: JsonValue = None
    new: JsonValue = None
    add: Sequence[JsonValue] = ()
    remove: Sequence[JsonValue] = ()
    refer: Sequence[str] = ()
    remove_accounts: Sequence[JsonValue] = ()
    remove_source_ids: Sequence[str | None] = ()


class ChangeLine(Answer):
    """One change; `held` says that it waits for an approval."""

    resource_type: ResourceType
    action: Action
    source_id: str
    target_id: str | None
    cause: str
    held: bool
    attributes: Sequence[EditLine]

    @property
    def refers(self) -> bool:
        """Whether it is about references, which are known by accounts."""
        return self.action in OF_REFERENCES


class When(Enum):
    """Whether a change waits."""

    HELD = auto()
    DUE = auto()


async def change_line(store: Store, lanes: Mapping[ResourceType, Job], change: PlannedChange, how: When) -> ChangeLine:
    """One change as it is told. `lanes` are those of its connector, as they fit the target."""
    whose = await _whose(store, lanes.values(), list(_accounts_removed(change)))
    refers = change.action in OF_REFERENCES
    mapping = lanes[change.resource_type].mapping

    def edit_line(path: AttributePath, edit: PlannedEdit) -> EditLine:
        if refers and isinstance(edit, Amend):
            accounts = [_id_of(value) for value in edit.remove]
            ids = [whose.get(TargetId(str(account))) for account in accounts]
            return EditLine(path=path, remove_accounts=accounts, remove_source_ids=ids)
        return _edit_line(mapping, change, path, edit)

    return ChangeLine(
        resource_type=change.resource_type,
        action=change.action,
        source_id=change.source_id,
        target_id=change.target_id,
        cause=change.cause,
        held=how is When.HELD,
        attributes=[edit_line(path, edit) for path, edit in change.delta.items()],
    )


def _edit_line(mapping: CompiledMapping, change: PlannedChange, path: AttributePath, edit: PlannedEdit) -> EditLine:
    match edit:
        case Withheld():
            return EditLine(path=path, new=SECRET)
        case Refer(to=to):
            return EditLine(path=path, refer=list(to))
        case Replace(value=value):
            return EditLine(path=path, old=seen(mapping, path, change.before.get(path)), new=seen(mapping, path, value))
        case Amend():
            added = [seen(mapping, path, value) for value in edit.add]
            removed = [seen(mapping, path, value) for value in edit.remove]
            return EditLine(path=path, add=added, remove=removed)


async def _whose(store: Store, lanes: Iterable[Job], accounts: Sequence[TargetId]) -> dict[TargetId, SourceId]:
    """Whose these accounts are, as far as this connector has them."""
    found: dict[TargetId, SourceId] = {}
    for job in lanes if accounts else ():
        owners = await job.owners(store, accounts)
        found |= {one: owner.source_id for one, owner in owners.items() if owner.connector == job.connector}
    return found


def _accounts_removed(change: PlannedChange) -> Iterator[TargetId]:
    """The accounts that lose a reference by this row."""
    if change.action is Action.REMOVE:
        for edit in change.delta.values():
            yield from (TargetId(str(_id_of(one))) for one in edit.remove) if isinstance(edit, Amend) else ()


def _id_of(value: Json) -> Json:
    return value.get("value") if isinstance(value, dict) else value
