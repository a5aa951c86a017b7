"""Reading a list to its end, with the evidence that it was the end (RFC 7644 3.4.2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from usher.core.errors import IncompleteRead
from usher.core.model.resources import TargetId, TargetResource

PAGE_SIZE: Final = 100
MAX_RESOURCES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ListPage:
    """One answer to a list request. `start_index` is None where the target does not say."""

    resources: Sequence[TargetResource]
    total: int
    start_index: int | None


class Pager:
    """Adds up the pages of one list. It ends by the total, as some targets answer rows again past their end.

    Pages that contradict each other make the whole read void: rows may have moved between them while they were read.
    """

    def __init__(self) -> None:
        self._seen: set[TargetId] = set()
        self._total: int | None = None

    @property
    def count(self) -> int:
        """How many resources came so far."""
        return len(self._seen)

    @property
    def start_index(self) -> int:
        """The first row of the page that is due."""
        return len(self._seen) + 1

    @property
    def complete(self) -> bool:
        """Whether as many came as the target says it has."""
        return self._total == len(self._seen)

    def feed(self, page: ListPage) -> None:
        """Takes the page that was due; raises IncompleteRead where it contradicts the ones before, or itself."""
        due = self.start_index
        if page.start_index is not None and page.start_index != due and not (due == 1 and page.start_index == 0):
            raise IncompleteRead(f"the target answered the page from {page.start_index}, asked for the one from {due}")
        if self._total is not None and page.total != self._total:
            raise IncompleteRead(f"the target's total changed from {self._total} to {page.total} while it was read")
        if page.total > MAX_RESOURCES:
            raise IncompleteRead(
                f"the target says it has {page.total} resources, more than {MAX_RESOURCES} are not read"
            )
        self._total = page.total
        self._add(page)
        if self.count > page.total:
            raise IncompleteRead(f"the target says it has {page.total} resources and returned {self.count}")
        if not page.resources and not self.complete:
            raise IncompleteRead(
                f"the target says it has {page.total} resources and returned nothing after {self.count}"
            )

    def _add(self, page: ListPage) -> None:
        for resource in page.resources:
            if resource.id in self._seen:
                raise IncompleteRead(f"the target returned a resource twice, the second time after {self.count}")
            self._seen.add(resource.id)
