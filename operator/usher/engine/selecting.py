"""Whom a cycle is about: everybody whom its feed brings, or some who were asked for by name and nobody else."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from usher.core.model.resources import ResourceType, SourceId
from usher.core.sync.policies import Subject


class _All:
    """Holds whatever is asked for."""

    def __contains__(self, _: object) -> bool:
        return True


_ALL: Final = _All()


@dataclass(frozen=True, slots=True)
class Everybody:
    """An ordinary cycle: its feed alone says who is looked at."""

    def of(self, _: ResourceType) -> Container[SourceId]:
        """Who is meant, of one type."""
        return _ALL

    def named(self, _: ResourceType) -> Collection[SourceId]:
        """Who is looked at whatever the feed brings."""
        return ()

    def among(self, _: ResourceType, ids: Iterable[SourceId]) -> Sequence[SourceId]:
        """Those of these who are meant."""
        return list(ids)

    def concerns(self, _: ResourceType) -> bool:
        """Whether anybody of that type is meant."""
        return True


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some who were asked for. All others are looked at only for what is concluded from them about these."""

    subjects: frozenset[Subject]

    def of(self, kind: ResourceType) -> Container[SourceId]:
        """Who is meant, of one type."""
        return self.named(kind)

    def named(self, kind: ResourceType) -> Collection[SourceId]:
        """The same: they are looked at whatever the feed brings."""
        return frozenset(source_id for one, source_id in self.subjects if one is kind)

    def among(self, kind: ResourceType, ids: Iterable[SourceId]) -> Sequence[SourceId]:
        """Those of these who are meant."""
        return [source_id for source_id in ids if (kind, source_id) in self.subjects]

    def concerns(self, kind: ResourceType) -> bool:
        """Whether anybody of that type is meant."""
        return bool(self.named(kind))


Selection: TypeAlias = Everybody | Chosen
EVERYBODY: Final = Everybody()
