"""What is known of an account before its references are changed, or it is deleted: that much can be given back to it.

References whose state nobody knows are read before anything is announced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from usher.contracts.target import TargetSession
from usher.core.errors import OF_ONE_RESOURCE, UsherError
from usher.core.model.plans import Action, PlannedChange, Refer
from usher.core.model.resources import AttributePath, Link, SourceId, TargetId
from usher.engine.concurrency import for_each
from usher.engine.job import ConnectorJob, Job, Ports
from usher.engine.reading import read_references
from usher.engine.retry import Retrier

_RELATING: Final = (Action.REMOVE, Action.REFER)


@dataclass(frozen=True, slots=True)
class Known:
    """What the state has for one row. `active` are the accounts, by the ids of the source, that can be referred to.

    `failure` is why what the account refers to could not be read, None where all that matters is in `held`.
    """

    link: Link
    held: Mapping[AttributePath, Sequence[TargetId]]
    active: Mapping[SourceId, TargetId]
    failure: UsherError | None = None

    def accounts(self, edit: Refer) -> list[TargetId]:
        """Of those who are to be referred to whoever has an active account now, in their order; the others wait."""
        return [*(self.active[one] for one in edit.to if one in self.active), *edit.accounts]


@dataclass(frozen=True, slots=True)
class Expecting:
    """Looks at rows that come next. What it finds is kept until somebody takes it."""

    job: ConnectorJob
    lane: Job
    ports: Ports
    session: TargetSession
    retrier: Retrier
    _known: dict[SourceId, Known] = field(default_factory=dict)

    async def expect(self, rows: Sequence[PlannedChange]) -> Sequence[PlannedChange]:
        """Reads the state for rows that come next: no other row of their rank changes what they need of it.

        Returns those that can be carried out: references need an account that holds them. That there is none (any
        more) its own outcome says, and what is open about that stays open.
        """
        mine = {row.source_id: row for row in rows if self._matters(row)}
        if not mine:
            return rows
        links = await self.ports.store.links(self.lane.lane, list(mine))
        holdings = await self.ports.store.holdings(self.lane.lane, list(mine))
        active = await self._active({one for row in mine.values() for one in _named(row)})
        for source_id, link in links.items():
            former = holdings.get(source_id)
            held = former.held if former is not None and former.target_id == link.target_id else {}
            self._known[source_id] = Known(link, held, active)
        await for_each([mine[source_id] for source_id in links], self._read_unknown, self.lane.concurrency)
        return [row for row in rows if row.action not in _RELATING or row.source_id in links]

    def known(self, row: PlannedChange) -> Known | None:
        """What was found; None where nobody asked. That of a change of references is kept until `take`."""
        return (self._known.get if row.action in _RELATING else self._known.pop)(row.source_id, None)

    def take(self, source_id: SourceId) -> Known:
        """The same, of a row that was expected and is carried out now."""
        return self._known.pop(source_id)

    def _matters(self, row: PlannedChange) -> bool:
        return row.action in _RELATING or (row.action is Action.DELETE and bool(self.lane.mapping.references))

    async def _active(self, ids: Collection[SourceId]) -> dict[SourceId, TargetId]:
        """Accounts of those who have an active one."""
        found: dict[SourceId, TargetId] = {}
        for lane in self.job.lanes:
            left = [one for one in ids if one not in found]
            digests = await self.ports.store.digests(lane.lane, left) if left else {}
            found |= {source_id: digest.target_id for source_id, digest in digests.items() if digest.enabled}
        return found

    async def _read_unknown(self, row: PlannedChange) -> None:
        """What can't be read of an account that is to be deleted keeps nobody from deleting it."""
        known = self._known[row.source_id]
        held = dict(known.held)
        paths = [reference.path for reference in self.lane.mapping.references]
        wanted = paths if row.action is Action.DELETE else [path for path in paths if path in row.delta]
        failure: UsherError | None = None
        for path in wanted:
            if path not in held:
                try:
                    held[path] = await read_references(
                        self.session, self.retrier, self.lane, known.link.target_id, path
                    )
                except OF_ONE_RESOURCE as error:
                    failure = failure or error
        self._known[row.source_id] = replace(known, held=held, failure=failure)


def _named(row: PlannedChange) -> Iterator[SourceId]:
    for edit in row.delta.values():
        if isinstance(edit, Refer):
            yield from edit.to
