"""Planned changes as a person reads them. They name people: for a terminal only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import JsonValue

from usher.answers.changes import ChangeLine, EditLine
from usher.answers.seeing import NAMED
from usher.core.model.plans import Action
from usher.core.model.resources import ResourceType

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


def change_lines(change: ChangeLine) -> Iterator[str]:
    """The person or group, then each attribute on a line of its own."""
    account = "" if change.target_id is None else f" (account {change.target_id})"
    cause = f": {change.cause}" if change.action in _LEAVING and change.cause else ""
    waits = " [held]" if change.held else ""
    sign, name = _SIGNS[change.action], verb(change.resource_type, change.action)
    yield f"{sign} {name} {named(change.resource_type, change.source_id)}{account}{cause}{waits}"
    if change.action is not Action.DISABLE:
        for edit in change.attributes:
            yield f"    {edit.path}{_edit_text(change, edit)}"


def _edit_text(change: ChangeLine, edit: EditLine) -> str:
    told = edit.model_fields_set
    if "refer" in told:
        return _listed("+", edit.refer)
    if "remove_accounts" in told:
        pairs = zip(edit.remove_accounts, edit.remove_source_ids, strict=False)
        return _listed("-", (f"account {account}" if one is None else one for account, one in pairs))
    if "old" not in told and "new" in told:
        return f" = {edit.new}"
    if "new" in told and change.refers:
        return ": (none)"
    if "new" in told:
        created = change.action is Action.CREATE
        return f" = {_text(edit.new)}" if created else f": {_text(edit.old)} -> {_text(edit.new)}"
    added = [f"+{_text(value)}" for value in edit.add]
    return ": " + ", ".join([*added, *(f"-{_text(value)}" for value in edit.remove)])


def _text(value: JsonValue) -> str:
    if value is None:
        return "(none)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def verb(resource_type: ResourceType, action: Action) -> str:
    """What is done, for people. A group that is gone and stays is emptied: it has nothing to disable."""
    if action is Action.DISABLE and resource_type is ResourceType.GROUP:
        return "empty"
    return _WORDS.get(action, action.value.lower())


def named(resource_type: ResourceType, source_id: str) -> str:
    """A group is said to be one; who is not, is a person."""
    return f"group {source_id}" if resource_type is ResourceType.GROUP else source_id


def _listed(sign: str, names: Iterable[str]) -> str:
    listed = [f"{sign}{name}" for name in names]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return f": {', '.join(listed[:NAMED])}{more}"
