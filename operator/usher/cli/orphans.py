"""`usher links --orphans`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from usher.answers.links import LaneOrphans, OrphansFound
from usher.cli.output import Block, Format, Heading, Paragraph, Result, Table, show

_NONE: Final = (
    "no full comparison has been made yet: the first one comes when spec.schedule.fullInterval has passed since the"
    " initial cycle"
)


@dataclass(frozen=True, slots=True)
class Orphans:
    """The wish to see them."""


def show_orphans(found: OrphansFound, limit: int, output: Format) -> None:
    """The orphans that the last full comparison named, as far as nobody has a link to them by now."""
    rows = [(one.resource_type.value, target) for one in found.orphans for target in one.target_ids]
    blocks: list[Block] = [Heading(f"{found.connector}: {_many(len(rows))}"), *map(_when, found.orphans)]
    if not found.orphans:
        blocks.append(Paragraph([_NONE]))
    if rows:
        blocks.append(Table(("type", "account"), rows[:limit]))
    if len(rows) > limit:
        blocks.append(Paragraph([f"and {len(rows) - limit} more"]))
    show(Result(found.data(), blocks), output)


def _when(one: LaneOrphans) -> Paragraph:
    kind, counted = f"{one.resource_type.lower()}s", one.total
    what = f"the app can't list its {kind}" if counted is None else f"{counted} {kind} had nobody"
    named = len(one.target_ids)
    more = f", the first {named} are named" if counted is not None and counted > named else ""
    return Paragraph([f"as of {one.compared}: {what}{more}"])


def _many(count: int) -> str:
    return f"{count} orphan{'' if count == 1 else 's'}"
