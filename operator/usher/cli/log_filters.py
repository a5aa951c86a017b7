"""Which lines of the provisioning log somebody asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Final

import click

from usher.api.v1alpha1.durations import parse_duration
from usher.cli.moments import parse_moment
from usher.cli.options import Command
from usher.contracts.log import LogQuery
from usher.core.model.plans import Action
from usher.core.model.resources import SourceId

_STEPS: Final = ("scope", "match", "action")
_ACTIONS: Final = (*(action.value for action in Action), "Skip", "Compare", "Approve", "Transfer")
_RESULTS: Final = ("Success", "Failure", "Skipped", "Unknown")


class _When(click.ParamType[datetime]):
    """A time with its zone, or how long ago that is."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Fails with what is wanted."""
        try:
            return datetime.now(UTC) - parse_duration(value)
        except ValueError:
            pass
        try:
            return parse_moment(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}, or how long ago that is, such as 2h", param, ctx)


def _one_of(name: str, values: tuple[str, ...]) -> Callable[[Command], Command]:
    return click.option(
        f"--{name}", type=click.Choice(values, case_sensitive=False), help=f"Only lines with this {name}."
    )


def filter_options(command: Command) -> Command:
    """The filters, as `query`."""

    @click.option("--user", metavar="ID", help="Only this person or group, by the id that the source has.")
    @click.option(
        "--since", metavar="WHEN", type=_When(), help="Only lines from then on: a time, or an age such as 2h."
    )
    @click.option("--until", metavar="WHEN", type=_When(), help="Only lines from before then.")
    @click.option("--cycle", metavar="CYCLE", help="Only lines of this cycle.")
    @_one_of("step", _STEPS)
    @_one_of("action", _ACTIONS)
    @_one_of("result", _RESULTS)
    @click.option("--reason", metavar="REASON", help="Only lines with this reason, such as DuplicateTargetEntries.")
    @click.option(
        "--before", metavar="N", type=click.IntRange(1, 2**63 - 1), help="Go on there, as the last answer says."
    )
    @wraps(command)
    def gathered(**given: Any) -> None:
        filters = {name: given.pop(name) for name in _FILTERS}
        command(query=_query({name: one for name, one in filters.items() if one is not None}), **given)

    return gathered


_FILTERS: Final = ("user", "since", "until", "cycle", "step", "action", "result", "reason", "before")


def _query(filters: Mapping[str, Any]) -> LogQuery:
    if "since" in filters and "until" in filters and filters["since"] >= filters["until"]:
        message = "--since has to be earlier than --until: no line can be shown"
        raise click.UsageError(message)
    rest = {name: one for name, one in filters.items() if name != "user"}
    return LogQuery(source_id=SourceId(filters["user"]) if "user" in filters else None, **rest)
