"""What the engine asks of the store of claims: who could be found by which matching values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from usher.core.model.resources import Lane, SourceId


class ClaimStore(Protocol):
    """The matching values of everybody who is in scope, per lane."""

    async def save_claims(self, lane: Lane, claims: Mapping[SourceId, Sequence[str]]) -> None:
        """Replaces the matching values that these people claim. No claims: the person makes none any more."""

    async def clear_claims(self, lane: Lane) -> None:
        """Nobody makes any claim any more."""

    async def count_claimants(self, lane: Lane) -> int:
        """How many people make claims: those in scope."""

    async def claimants(self, lane: Lane, claims: Collection[str]) -> Mapping[str, Sequence[SourceId]]:
        """Who makes these claims, by claim; one that nobody makes is left out."""

    async def rivals(self, lane: Lane, claims: Collection[str]) -> Mapping[str, Sequence[SourceId]]:
        """Of these claims those that more than one person makes, with all who make them."""
