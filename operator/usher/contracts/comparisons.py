"""What the engine asks of the store of full comparisons: when the last one was, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from usher.core.model.reports import Compared
from usher.core.model.resources import Lane, TargetId


@dataclass(frozen=True, slots=True)
class Comparison:
    """The last full comparison of a lane: `at` is when it ended.

    With `found` None none was made yet, and the time until the first runs since then.
    """

    at: datetime
    found: Compared | None = None


class ComparisonStore(Protocol):
    """One for each lane."""

    async def comparison(self, lane: Lane) -> Comparison | None: ...

    async def save_comparison(self, lane: Lane, comparison: Comparison, orphans: Sequence[TargetId]) -> None:
        """Replaces the former one, and the orphans that it named."""

    async def orphans(self, lane: Lane) -> Sequence[TargetId]:
        """Those that the last one named, as far as nobody has a link to them by now; in order."""
