"""Rows of a plan as a person reads them, and as programs do. They name people: for a terminal only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from usher.core.model.plans import Action, Amend, PlannedChange, PlannedEdit, Refer, Replace, Withheld
from usher.core.model.resources import AttributePath, Json
from usher.core.sync.planning import ADOPTED
from usher.core.sync.rules import CompiledMapping

SECRET: Final = "***"  # noqa: S105 - what stands in place of one
REDACTED: Final = "[Redact]"
"""What stands in place of the value of `Redact`."""
LONGEST: Final = 200
"""Characters of a value that people are shown; programs get it whole."""
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
    """One row, with the mapping that says which values must not be seen. `waits`: it would not be applied now."""

    change: PlannedChange
    mapping: CompiledMapping
    waits: bool

    def data(self) -> dict[str, Json]:
        """For programs."""
        change = self.change
        edits: list[Json] = [self._edit_data(path, edit) for path, edit in change.delta.items()]
        return {
            "action": change.action.value,
            "sourceId": change.source_id,
            "targetId": change.target_id,
            "cause": change.cause,
            "held": self.waits,
            "attributes": edits,
        }

    def lines(self) -> Iterator[str]:
        """For people: the person, then each attribute on a line of its own."""
        change = self.change
        account = "" if change.target_id is None else f" (account {change.target_id})"
        cause = f": {change.cause}" if change.action is Action.DISABLE and change.cause else ""
        waits = " [held]" if self.waits else ""
        sign, name = _SIGNS[change.action], change.action.value.lower()
        yield f"{sign} {name} {change.source_id}{account}{cause}{waits}"
        if change.action is not Action.DISABLE:
            for path, edit in change.delta.items():
                yield f"    {path}{self._edit_text(path, edit)}"

    def _edit_data(self, path: AttributePath, edit: PlannedEdit) -> dict[str, Json]:
        match edit:
            case Withheld():
                return {"path": path, "new": SECRET}
            case Refer(to=to):
                return {"path": path, "refer": list(to)}
            case Replace(value=value):
                before, after = self.change.before.get(path), value
                return {"path": path, "old": self._seen(path, before), "new": self._seen(path, after)}
            case Amend():
                added: list[Json] = [self._seen(path, value) for value in edit.add]
                removed: list[Json] = [self._seen(path, value) for value in edit.remove]
                return {"path": path, "add": added, "remove": removed}

    def _edit_text(self, path: AttributePath, edit: PlannedEdit) -> str:
        match edit:
            case Withheld():
                return f" = {SECRET}"
            case Refer(to=to):
                return ": " + ", ".join(f"+{source_id}" for source_id in to)
            case Replace(value=value) if self.change.action is Action.CREATE:
                return f" = {self._text(path, value)}"
            case Replace(value=value):
                return f": {self._text(path, self.change.before.get(path))} -> {self._text(path, value)}"
            case Amend():
                added = [f"+{self._text(path, value)}" for value in edit.add]
                return ": " + ", ".join([*added, *(f"-{self._text(path, value)}" for value in edit.remove)])

    def _seen(self, path: AttributePath, value: Json) -> Json:
        if value is None or path not in self.mapping.hidden:
            return value
        return SECRET if path in self.mapping.withheld else REDACTED

    def _text(self, path: AttributePath, value: Json) -> str:
        if value is None:
            return "(none)"
        text = json.dumps(self._seen(path, value), ensure_ascii=False)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def counts(change: PlannedChange) -> bool:
    """Whether anybody would see it: a link that is only confirmed changes nothing."""
    return change.action is not Action.LINK or change.cause == ADOPTED
