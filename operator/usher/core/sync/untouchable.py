"""Accounts of the target that are never written: break-glass accounts, our own service account.

An account is known by what the target itself says of it, never by what somebody would write into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from usher.core.model.plans import PlannedChange, Replace, Skip
from usher.core.model.resources import AttributePath, Json, ResourceType
from usher.core.scim.comparison import folding
from usher.core.scim.schemas import AttributeDefinition, TargetSchema
from usher.core.scim.values import read, write
from usher.core.sync.fingerprints import fingerprint

NEVER_TOUCH: Final = "NeverTouch"
_ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Spared:
    """Accounts with such a value at this path: `*` stands for any characters, all others for themselves.

    Upper and lower case are alike unless the target's schema says caseExact. `place` is as in
    `ProvisioningConnector/app spec.scope.neverTouch[0]`.
    """

    path: AttributePath
    pattern: str
    definition: AttributeDefinition | None = None
    place: str = ""

    def covers(self, value: Json) -> bool:
        """Whether the target's value is such a one; of several values, whether any of them is."""
        exact = self.definition is not None and self.definition.case_exact
        pieces = (self.pattern if exact else self.pattern.casefold()).split(_ANY)
        fold = folding(self.definition)
        values = value if isinstance(value, list) else [value]
        return any(_fits(pieces, fold(each)) for each in values if each is not None)


def _fits(pieces: Sequence[str], text: str) -> bool:
    first, *rest = pieces
    if not rest:
        return text == first
    last = rest.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in rest:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


@dataclass(frozen=True)
class Untouchable:
    """All such accounts of one target."""

    spared: tuple[Spared, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.spared)

    @cached_property
    def paths(self) -> frozenset[AttributePath]:
        """What has to be read of an account to know whether it is one of them."""
        return frozenset(each.path for each in self.spared)

    @cached_property
    def digest(self) -> str:
        """Others stand for another scope; empty where there are none."""
        return fingerprint(tuple((each.path, each.pattern) for each in self.spared)).hex() if self.spared else ""

    def knows(self, image: Mapping[AttributePath, Json]) -> bool:
        """Whether an account was read so that it can be told."""
        return self.paths <= image.keys()

    def covers(self, image: Mapping[AttributePath, Json]) -> bool:
        """Whether an account with this image is one of them."""
        return any(each.covers(image.get(each.path)) for each in self.spared)

    def typed(self, schema: TargetSchema, resource_type: ResourceType) -> Untouchable:
        """With the types of this schema. A group is asked for nothing that groups don't have."""
        typed = [replace(each, definition=schema.definition(each.path)) for each in self.spared]
        users = resource_type is ResourceType.USER
        return Untouchable(tuple(each for each in typed if users or each.definition is not None))

    def spare(self, change: PlannedChange) -> PlannedChange | Skip:
        """The change, or, where it would write to one of them or make one, nothing."""
        if not self or not self.covers(self._made_by(change) if change.target_id is None else change.before):
            return change
        which = "such an account" if change.target_id is None else f"the account {change.target_id}"
        return Skip(change.source_id, NEVER_TOUCH, f"spec.scope.neverTouch: {which} is never written", settled=True)

    def _made_by(self, change: PlannedChange) -> dict[AttributePath, Json]:
        """What would be told of the account that a create makes."""
        document: dict[str, Json] = {}
        for path, edit in change.delta.items():
            if isinstance(edit, Replace):
                write(path, edit.value, document)
        return {path: read(path, document) for path in self.paths}


NONE_SPARED: Final = Untouchable()
