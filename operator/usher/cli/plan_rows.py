"""The changes of a plan, as many as are shown of each action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from usher.answers.changes import OF_REFERENCES, ChangeLine
from usher.cli.changes import change_lines
from usher.cli.output import Code
from usher.core.model.plans import Action
from usher.core.model.resources import Json, ResourceType

_ORDER: Final = (Action.CREATE, Action.LINK, Action.UPDATE, Action.DISABLE, Action.DELETE, Action.REMOVE, Action.REFER)


@dataclass(frozen=True, slots=True)
class Rows:
    """The changes that are shown, by action, and how many there are in all.

    At most `most` are shown of each, with None all. `linked` are the accounts that would be taken over, `referring`
    those who would get other references.
    """

    most: int | None
    shown: dict[Action, list[ChangeLine]] = field(default_factory=lambda: {action: [] for action in _ORDER})
    all: Counter[Action] = field(default_factory=Counter)
    linked: Counter[ResourceType] = field(default_factory=Counter)
    referring: set[tuple[ResourceType, str]] = field(default_factory=set)
    waiting: Counter[Action] = field(default_factory=Counter)

    @property
    def held(self) -> int:
        """How many of all wait for an approval."""
        return self.waiting.total()

    def references(self, resource_type: ResourceType) -> int:
        """How many resources of the type would get other references."""
        return sum(kind is resource_type for kind, _ in self.referring)

    def add(self, change: ChangeLine) -> None:
        """Counts it, and keeps it where there is room."""
        action = change.action
        self.all[action] += 1
        self.waiting[action] += change.held
        self.linked[change.resource_type] += action is Action.LINK
        if change.refers:
            self.referring.add((change.resource_type, change.source_id))
        if self.most is None or len(self.shown[action]) < self.most:
            self.shown[action].append(change)

    def data(self) -> list[Json]:
        """Every row that is shown."""
        return [row.data() for action in _ORDER for row in self.shown[action]]

    def blocks(self) -> Iterator[Code]:
        """The rows by action."""
        for action in _ORDER:
            if self.all[action]:
                yield self._group(action)

    def _group(self, action: Action) -> Code:
        shown = self.shown[action]
        lines = [line for row in shown for line in change_lines(row)]
        more = self.all[action] - len(shown)
        last = f"more to {action.value.lower()}" if action not in OF_REFERENCES else "more with other references"
        return Code([*lines, f"  ... and {more} {last}"] if more else lines)
