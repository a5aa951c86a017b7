"""`usher explain`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, TypeAlias

import click

from usher.answers.log import line_of
from usher.assembly.ends import surroundings_of, system_runtime
from usher.cli.changes import seen
from usher.cli.eval import step_data
from usher.cli.exits import Exit
from usher.cli.log_lines import COLUMNS, line_row
from usher.cli.options import limit_option, output_option, workspace_options
from usher.cli.output import Block, Format, Heading, Result, Table, show
from usher.cli.states import State, states_of
from usher.cli.stored import look
from usher.cli.tasks import Refusal, Task, prepare_to_read
from usher.cli.terminal import complain, fail
from usher.cli.workspace import Workspace, find_connector
from usher.contracts.store import Store
from usher.core.expressions.explain import explain as explain_expression
from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import ConnectorKey, Json
from usher.core.sync.flows import Computed
from usher.core.sync.mapping import LineValue
from usher.engine.explaining import Facts, Found, find_subjects, gather
from usher.engine.job import Ports

_GUESSES: Final = 3
_Answer: TypeAlias = Facts | Found


@click.command(
    epilog="Examples: usher explain people 1007 -f examples/csv; usher explain people ada@example.com -f examples/csv"
)
@click.argument("name", metavar="NAME")
@click.argument("user", metavar="USER")
@workspace_options
@limit_option(10, "Show at most so many lines of the log.")
@output_option
def explain(name: str, user: str, workspace: Workspace, limit: int, output: Format) -> None:
    """Say how it stands with one person or group, why, and what would change that.

    USER is an id of the source, or a value of userPrincipalName, mail, userName or what accounts are found by,
    in whatever case. It is answered from the state alone: neither the source nor the app is asked, so it is told
    as of the last read of the source.

    JSON and YAML also have each step of the expressions, as usher eval shows them.

    Exit codes: 0 it is told; 1 nobody is called so, or several are.
    """
    manifests = workspace.load()
    key = find_connector(manifests, name)
    task = prepare_to_read(manifests, key, system_runtime())
    if isinstance(task, Refusal):
        for finding in task.findings:
            complain(finding)
        raise click.exceptions.Exit(Exit.FAILED)
    answer = look(workspace.state, lambda store: _ask(task, store, user, limit))
    if isinstance(answer, Found):
        _tell_nobody(key, user, answer, output)
        raise click.exceptions.Exit(Exit.FAILED)
    show(_told(task, answer, workspace), output)


async def _ask(task: Task, store: Store, user: str, limit: int) -> _Answer:
    found = await find_subjects(task.job, store, user)
    if len(found.subjects) != 1:
        return found
    return await gather(task.job, Ports(store, system_runtime()), found.subjects[0], limit)


def _tell_nobody(key: ConnectorKey, user: str, found: Found, output: Format) -> None:
    """Who is called so, where several are; else who may be meant."""
    if found.subjects:
        data: list[Json] = [{"resourceType": kind.value, "sourceId": one} for kind, one in found.subjects]
        rows = [(kind.value, one) for kind, one in found.subjects]
        heading = Heading(f"{key}: {len(rows)} are called {user}: name one by its id")
        show(Result({"connector": key, "candidates": data}, [heading, Table(("type", "id"), rows)]), output)
        return
    folded = {name.casefold(): name for name in found.names}
    begun = [name for one, name in folded.items() if one.startswith(user.casefold())]
    near = begun[:_GUESSES] or [folded[one] for one in get_close_matches(user.casefold(), folded, n=_GUESSES)]
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    fail(f"{key} knows nobody of that id or name: {user}{hint}")


# --- what is told ---------------------------------------------------------------------------------------------------


def _told(task: Task, facts: Facts, workspace: Workspace) -> Result:
    key = task.job.connector
    surroundings = surroundings_of(system_runtime(), task.source.object.spec.default_domain or "")
    states = list(states_of(facts, workspace.command("sync", "--approve")))
    if task.connector.object.spec.suspend:
        states.insert(0, State("connector", "spec.suspend is true: no cycle runs", "take it out of the spec"))
    kind, source_id = facts.subject
    data: dict[str, Json] = {
        "connector": key,
        "resourceType": kind.value,
        "sourceId": source_id,
        "targetId": None if facts.link is None else facts.link.target_id,
        "enabled": None if facts.link is None else facts.link.enabled,
        "states": [{"state": one.name, "text": one.text, "wayOut": one.way_out} for one in states],
        "clauses": _clauses_data(facts),
        "values": [_value_data(facts, line, surroundings) for line in facts.lines],
        "references": [{"path": r.path, "sourceId": r.to, "given": r.given.value} for r in facts.references],
        "log": [line_of(entry).data() for entry in facts.log],
    }
    blocks: list[Block] = [Heading(f"{key}: {kind.value} {source_id}")]
    blocks.append(Table(("state", "", "what would change it"), states))
    blocks += _section("scoping filters", ("clause", "asks", "holds"), _clause_rows(facts))
    active = facts.desired is not None and facts.desired.active
    title = "what each line of the mapping gives" if active else "what each line of the mapping would give"
    blocks += _section(title, ("line", "attribute", "value"), [_value_row(facts, line) for line in facts.lines])
    blocks += _section("the newest lines of the log", COLUMNS, [line_row(line_of(entry)) for entry in facts.log])
    return Result(data, blocks)


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Block]:
    return [Heading(title), Table(columns, rows)] if rows else []


def _clauses_data(facts: Facts) -> list[Json]:
    return [
        {
            "place": one.clause.place,
            "filter": one.filter,
            "clause": str(one.clause),
            "holds": None if one.problem else one.holds,
            "problem": one.problem,
        }
        for one in facts.judgements
    ]


def _clause_rows(facts: Facts) -> list[Sequence[str]]:
    return [
        (one.clause.place, str(one.clause), one.problem or ("true" if one.holds else "false"))
        for one in facts.judgements
    ]


def _value_data(facts: Facts, line: LineValue, surroundings: Surroundings) -> dict[str, Json]:
    mapping, rule = facts.job.mapping, line.rule
    data: dict[str, Json] = {"place": rule.place, "path": rule.target, "value": seen(mapping, rule.target, line.value)}
    if line.choices:
        data["choices"] = [seen(mapping, rule.target, one) for one in line.choices]
    if line.problem:
        data["problem"] = line.problem
    if isinstance(rule.flow, Computed) and not rule.hidden:
        data["steps"] = [step_data(explain_expression(rule.flow.expression, facts.attributes, surroundings))]
    return data


def _value_row(facts: Facts, line: LineValue) -> Sequence[str]:
    mapping, rule = facts.job.mapping, line.rule
    if line.problem:
        return (rule.place, rule.target, f"!! {line.problem}")
    if line.choices:
        shown = [json.dumps(seen(mapping, rule.target, one), ensure_ascii=False) for one in line.choices]
        return (rule.place, rule.target, f"the first that is free: {', '.join(shown)}")
    value = seen(mapping, rule.target, line.value)
    return (rule.place, rule.target, "(none)" if value is None else json.dumps(value, ensure_ascii=False))
