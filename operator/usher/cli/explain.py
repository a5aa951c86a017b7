"""`usher explain`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from usher.answers.explaining import Candidates, ClauseLine, Explanation, MappedLine
from usher.cli.exits import Exit
from usher.cli.log_lines import COLUMNS, line_row
from usher.cli.options import limit_option, output_option
from usher.cli.origins import Origin, origin_options
from usher.cli.output import Block, Format, Heading, Result, Table, show
from usher.cli.terminal import fail


@click.command(
    epilog="Examples: usher explain people ada@example.com -n identity; usher explain people 1007 -f examples/csv"
)
@click.argument("name", metavar="NAME")
@click.argument("user", metavar="USER")
@origin_options
@limit_option(10, "Show at most so many lines of the log.")
@output_option
def explain(name: str, user: str, origin: Origin, limit: int, output: Format) -> None:
    """Say how it stands with one person or group, why, and what would change that.

    With -f that of the state file beside the manifests; without, the operator of the cluster is asked.

    USER is an id of the source, or a value of userPrincipalName, mail, userName or what accounts are found by,
    in whatever case. It is answered from the state alone: neither the source nor the app is asked, so it is told
    as of the last read of the source.

    JSON and YAML also have each step of the expressions, as usher eval shows them.

    Exit codes: 0 it is told; 1 nobody is called so, or several are.
    """
    if not user:
        raise click.BadParameter("is empty: an id or a name is needed", param_hint="USER")
    answer = origin.explain(name, user, limit)
    if isinstance(answer, Candidates):
        _tell_nobody(answer, user, output)
        raise click.exceptions.Exit(Exit.FAILED)
    show(Result(answer.data(), _blocks(answer)), output)


def _tell_nobody(answer: Candidates, user: str, output: Format) -> None:
    """Who is called so, where several are; else who may be meant."""
    if answer.candidates:
        rows = [(one.resource_type.value, one.source_id) for one in answer.candidates]
        heading = Heading(f"{answer.connector}: {len(rows)} are called {user}: name one by its id")
        show(Result(answer.data(), [heading, Table(("type", "id"), rows)]), output)
        return
    hint = f"; did you mean {' or '.join(answer.near)}?" if answer.near else ""
    fail(f"{answer.connector} knows nobody of that id or name: {user}{hint}")


def _blocks(told: Explanation) -> list[Block]:
    blocks: list[Block] = [Heading(f"{told.connector}: {told.resource_type} {told.source_id}")]
    states = [(one.state, one.text, one.way_out) for one in told.states]
    blocks.append(Table(("state", "", "what would change it"), states))
    blocks += _section("scoping filters", ("clause", "asks", "holds"), [_clause_row(one) for one in told.clauses])
    title = "what each line of the mapping gives" if told.active else "what each line of the mapping would give"
    blocks += _section(title, ("line", "attribute", "value"), [_value_row(one) for one in told.values])
    blocks += _section("the newest lines of the log", COLUMNS, [line_row(entry) for entry in told.log])
    return blocks


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Block]:
    return [Heading(title), Table(columns, rows)] if rows else []


def _clause_row(one: ClauseLine) -> Sequence[str]:
    return (one.place, one.clause, one.problem or ("true" if one.holds else "false"))


def _value_row(one: MappedLine) -> Sequence[str]:
    if one.problem:
        return (one.place, one.path, f"!! {one.problem}")
    if one.choices:
        shown = [json.dumps(choice, ensure_ascii=False) for choice in one.choices]
        return (one.place, one.path, f"the first that is free: {', '.join(shown)}")
    return (one.place, one.path, "(none)" if one.value is None else json.dumps(one.value, ensure_ascii=False))
