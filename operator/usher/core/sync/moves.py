"""Who gives up a unique value, who takes it, and who goes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from usher.core.model.plans import PlannedChange, Replace
from usher.core.model.resources import SourceId
from usher.core.sync.rules import CompiledMapping


@dataclass(frozen=True, slots=True)
class KeyMove:
    """An update that gives up some unique values and takes others, as claims."""

    source_id: SourceId
    gives: frozenset[str]
    takes: frozenset[str]


def key_move(mapping: CompiledMapping, change: PlannedChange) -> KeyMove:
    """What a planned update does to the values of the matching attributes."""
    gives: set[str] = set()
    takes: set[str] = set()
    after = {**change.before, **{path: edit.value for path, edit in change.delta.items() if isinstance(edit, Replace)}}
    for rule in mapping.matching:
        former, later = rule.key(change.before), rule.key(after)
        if former is not None and (later is None or later.claim != former.claim):
            gives.add(former.claim)
        if later is not None and (former is None or later.claim != former.claim):
            takes.add(later.claim)
    return KeyMove(change.source_id, frozenset(gives), frozenset(takes))


def rank_key_moves(moves: Sequence[KeyMove]) -> dict[SourceId, int]:
    """The rank of each move such that whoever gives a value up goes before whoever takes it.

    People who swap values in a circle can't be put in order: they share a rank, and a target that enforces uniqueness
    refuses them as an error of those resources.
    """
    giver = {claim: move.source_id for move in moves for claim in move.gives}
    waits_for = {
        move.source_id: {giver[claim] for claim in move.takes if claim in giver} - {move.source_id} for move in moves
    }
    ranks: dict[SourceId, int] = {}
    level = 0
    while waits_for:
        ready = [person for person, others in waits_for.items() if others.isdisjoint(waits_for)] or list(waits_for)
        for person in ready:
            ranks[person] = level
            del waits_for[person]
        level += 1
    return ranks
