"""Rows of a plan as a person reads them, and as programs do. They name people: for a terminal only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from usher.core.model.plans import Action, Amend, PlannedChange, PlannedEdit, Refer, Replace, Withheld
from usher.core.model.resources import AttributePath, Json, ResourceType, SourceId, TargetId
from usher.core.sync.rules import CompiledMapping
from usher.core.sync.telling import REDACTED

SECRET: Final = "***"  # noqa: S105 - what stands in place of one
NAMED: Final = 20
"""So many accounts of one edit are shown to people; programs get all of them."""
LONGEST: Final = 200
"""Characters of a value that people are shown; programs get it whole."""
_WORDS: Final = {Action.REMOVE: "references of", Action.REFER: "references of"}
_LEAVING: Final = (Action.DISABLE, Action.DELETE)
_SIGNS: Final = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DISABLE: "-",
    Action.DELETE: "x",
    Action.LINK: "=",
    Action.REMOVE: "-",
    Action.REFER: "~",
}


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One row, with the mapping that says which values must not be seen. `waits`: it would not be applied now.

    `whose` says whose the accounts are that lose a reference, as far as they are ours.
    """

    change: PlannedChange
    mapping: CompiledMapping
    waits: bool
    whose: Mapping[TargetId, SourceId] = field(default_factory=dict)

    def data(self) -> dict[str, Json]:
        """For programs."""
        change = self.change
        edits: list[Json] = [self._edit_data(path, edit) for path, edit in change.delta.items()]
        return {
            "resourceType": change.resource_type.value,
            "action": change.action.value,
            "sourceId": change.source_id,
            "targetId": change.target_id,
            "cause": change.cause,
            "held": self.waits,
            "attributes": edits,
        }

    def lines(self) -> Iterator[str]:
        """For people: the person or group, then each attribute on a line of its own."""
        change = self.change
        account = "" if change.target_id is None else f" (account {change.target_id})"
        cause = f": {change.cause}" if change.action in _LEAVING and change.cause else ""
        waits = " [held]" if self.waits else ""
        sign, name = _SIGNS[change.action], verb(change.resource_type, change.action)
        yield f"{sign} {name} {named(change.resource_type, change.source_id)}{account}{cause}{waits}"
        if change.action is not Action.DISABLE:
            for path, edit in change.delta.items():
                yield f"    {path}{(self._taken_text(edit) if self._refers else '') or self._edit_text(path, edit)}"

    def _edit_data(self, path: AttributePath, edit: PlannedEdit) -> dict[str, Json]:
        match edit:
            case Withheld():
                return {"path": path, "new": SECRET}
            case Refer(to=to):
                return {"path": path, "refer": list(to)}
            case Amend(remove=gone) if self._refers:
                accounts: list[Json] = [_id_of(value) for value in gone]
                ids: list[Json] = [self.whose.get(TargetId(str(account))) for account in accounts]
                return {"path": path, "removeAccounts": accounts, "removeSourceIds": ids}
            case Replace(value=value):
                before, after = self.change.before.get(path), value
                return {"path": path, "old": seen(self.mapping, path, before), "new": seen(self.mapping, path, after)}
            case Amend():
                added: list[Json] = [seen(self.mapping, path, value) for value in edit.add]
                removed: list[Json] = [seen(self.mapping, path, value) for value in edit.remove]
                return {"path": path, "add": added, "remove": removed}

    def _edit_text(self, path: AttributePath, edit: PlannedEdit) -> str:
        match edit:
            case Withheld():
                return f" = {SECRET}"
            case Refer(to=to):
                return _listed("+", to)
            case Replace(value=value) if self.change.action is Action.CREATE:
                return f" = {self._text(path, value)}"
            case Replace(value=value):
                return f": {self._text(path, self.change.before.get(path))} -> {self._text(path, value)}"
            case Amend():
                added = [f"+{self._text(path, value)}" for value in edit.add]
                return ": " + ", ".join([*added, *(f"-{self._text(path, value)}" for value in edit.remove)])

    def _taken_text(self, edit: PlannedEdit) -> str:
        """References that are taken away; empty where the edit gives some."""
        match edit:
            case Amend(remove=gone):
                return _listed("-", (self._whose(str(_id_of(value))) for value in gone))
            case Replace():
                return ": (none)"
            case _:
                return ""

    @property
    def _refers(self) -> bool:
        """Whether the row is about references, which are known by accounts."""
        return self.change.action in (Action.REMOVE, Action.REFER)

    def _whose(self, account: str) -> str:
        """The source id where it is known, by which people know each other."""
        return self.whose.get(TargetId(account), f"account {account}")

    def _text(self, path: AttributePath, value: Json) -> str:
        if value is None:
            return "(none)"
        text = json.dumps(seen(self.mapping, path, value), ensure_ascii=False)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def seen(mapping: CompiledMapping, path: AttributePath, value: Json) -> Json:
    """The value as it may be shown: what the target never returns, or what Redact hides, is not."""
    if value is None or path not in mapping.hidden:
        return value
    return SECRET if path in mapping.withheld else REDACTED


def verb(resource_type: ResourceType, action: Action) -> str:
    """What is done, for people. A group that is gone and stays is emptied: it has nothing to disable."""
    if action is Action.DISABLE and resource_type is ResourceType.GROUP:
        return "empty"
    return _WORDS.get(action, action.value.lower())


def named(resource_type: ResourceType, source_id: str) -> str:
    """A group is said to be one; who is not, is a person."""
    return f"group {source_id}" if resource_type is ResourceType.GROUP else source_id


def accounts_removed(change: PlannedChange) -> Iterator[TargetId]:
    """The accounts that lose a reference by this row."""
    if change.action is Action.REMOVE:
        for edit in change.delta.values():
            yield from (TargetId(str(_id_of(one))) for one in edit.remove) if isinstance(edit, Amend) else ()


def _id_of(value: Json) -> Json:
    return value.get("value") if isinstance(value, dict) else value


def _listed(sign: str, names: Iterable[str]) -> str:
    listed = [f"{sign}{name}" for name in names]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return f": {', '.join(listed[:NAMED])}{more}"
