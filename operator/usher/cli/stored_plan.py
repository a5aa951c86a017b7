"""`usher plan NAME`: what waits, or was planned and not applied."""

from __future__ import annotations

from typing import Final

from usher.answers.plans import HeldLine, PlanPage
from usher.cli.exits import Exit
from usher.cli.origins import Origin
from usher.cli.output import Block, Format, Heading, Paragraph, Result, show
from usher.cli.plan_rows import Rows

_NOTHING: Final = (
    "nothing waits for an approval, and nothing is planned: usher run NAME --type Plan --wait, or usher plan -f, plans"
    " what a cycle would do now"
)


def show_stored_plan(origin: Origin, name: str, most: int | None, output: Format) -> Exit:
    """HELD where something waits for an approval, PENDING where something is planned."""
    rows, pages = Rows(most), list[PlanPage]()

    def take(page: PlanPage) -> None:
        pages[:] = [page]
        for change in page.changes:
            rows.add(change)

    origin.plan(name, take)
    held, key = pages[0].held, pages[0].connector
    waits = held is not None and not held.approved
    blocks: list[Block] = [Heading(f"{key}: {_heading(rows)}"), *rows.blocks()]
    if held is not None:
        blocks.append(Paragraph(_held_lines(held)))
    if not rows.all:
        blocks.append(Paragraph([_NOTHING]))
    data = {"connector": key, "held": None if held is None else held.data(), "changes": rows.data()}
    show(Result(data, blocks), output)
    return Exit.HELD if waits else Exit.PENDING if rows.all else Exit.DONE


def _heading(rows: Rows) -> str:
    count = rows.all.total()
    return f"{rows.held} changes held, {count - rows.held} planned"


def _held_lines(held: HeldLine) -> list[str]:
    """What is held, until when, and what applies it."""
    if held.approved:
        return [f"approved ({held.reason}): {held.summary}; the next cycle applies it"]
    return [
        f"held ({held.reason}) until {held.expires}: {held.summary}",
        "to apply exactly this set:",
        f"  {held.approve}",
    ]
