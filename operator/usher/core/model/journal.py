"""The journal: what each change of a cycle took the place of, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from usher.core.model.plans import Action, Delta
from usher.core.model.resources import AttributePath, Json, SourceId, TargetId


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One change, written down before its request leaves. That it is there does not say that the change was done.

    `number` counts the changes of one cycle and lane in the order in which they began. `target_id` is None where an
    account was to be created and nobody knows which one came of it.

    `delta` is what the change writes; references stand in it as `{"value": id}` with the ids of accounts. `before` has
    what its paths, and the elements that they are in, held until then; of a deleted account it is the whole image, and
    `held` are the accounts to which it referred. What a target never returns is in none of them.
    """

    number: int
    source_id: SourceId
    target_id: TargetId | None
    action: Action
    delta: Delta = field(default_factory=dict)
    before: Mapping[AttributePath, Json] = field(default_factory=dict)
    held: Mapping[AttributePath, tuple[TargetId, ...]] = field(default_factory=dict)
