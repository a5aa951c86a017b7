"""`usher links --orphans`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from usher.answers.form import time_text
from usher.cli.output import Block, Format, Heading, Paragraph, Result, Table, show
from usher.cli.stored import look
from usher.cli.workspace import Workspace
from usher.contracts.comparisons import Comparison
from usher.contracts.store import Store
from usher.core.model.resources import ConnectorKey, Json, Lane, ResourceType, TargetId

_NONE: Final = (
    "no full comparison has been made yet: the first one comes when spec.schedule.fullInterval has passed since the"
    " initial cycle"
)


@dataclass(frozen=True, slots=True)
class Orphans:
    """The wish to see them."""


class _Found(NamedTuple):
    resource_type: ResourceType
    comparison: Comparison
    orphans: list[TargetId]


def show_orphans(key: ConnectorKey, workspace: Workspace, limit: int, output: Format) -> None:
    """The orphans that the last full comparison named, as far as nobody has a link to them by now."""

    async def read(store: Store) -> list[_Found]:
        found = []
        for resource_type in ResourceType:
            lane = Lane(key, resource_type)
            comparison = await store.comparison(lane)
            if comparison is not None and comparison.found is not None:
                found.append(_Found(resource_type, comparison, list(await store.orphans(lane))))
        return found

    found = look(workspace.state, read)
    data: list[Json] = [
        {
            "resourceType": one.resource_type.value,
            "compared": time_text(one.comparison.at),
            "total": None if one.comparison.found is None else one.comparison.found.orphans,
            "targetIds": list(one.orphans),
        }
        for one in found
    ]
    rows = [(one.resource_type.value, target) for one in found for target in one.orphans]
    blocks: list[Block] = [Heading(f"{key}: {_many(len(rows))}"), *map(_when, found)]
    if not found:
        blocks.append(Paragraph([_NONE]))
    if rows:
        blocks.append(Table(("type", "account"), rows[:limit]))
    if len(rows) > limit:
        blocks.append(Paragraph([f"and {len(rows) - limit} more"]))
    show(Result({"connector": key, "orphans": data}, blocks), output)


def _when(one: _Found) -> Paragraph:
    counted = None if one.comparison.found is None else one.comparison.found.orphans
    kind = f"{one.resource_type.lower()}s"
    what = f"the app can't list its {kind}" if counted is None else f"{counted} {kind} had nobody"
    more = f", the first {len(one.orphans)} are named" if counted is not None and counted > len(one.orphans) else ""
    return Paragraph([f"as of {time_text(one.comparison.at)}: {what}{more}"])


def _many(count: int) -> str:
    return f"{count} orphan{'' if count == 1 else 's'}"
