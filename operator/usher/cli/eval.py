"""`usher eval`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from usher.answers.steps import step_line
from usher.assembly.ends import surroundings_of, system_runtime
from usher.cli.documents import read_document
from usher.cli.exits import Exit
from usher.cli.findings import Finding
from usher.cli.moments import parse_moment
from usher.cli.options import output_option
from usher.cli.output import Block, Code, Format, Heading, Result, show
from usher.cli.terminal import complain, neutral, say
from usher.core.errors import CycleError
from usher.core.expressions.compile import Compiled, compile_expression
from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.explain import Step, explain
from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import Json, Scalar, Value
from usher.core.sync.mapping import SOFT_DELETED

MAX_USER: Final = 1024 * 1024


@click.command(
    name="eval",
    short_help="Evaluate an expression and explain each step.",
    epilog="""Examples: usher eval 'Join(" ", [givenName], [surname])' --user ada.yaml;
    usher eval 'Join("@", [mailNickname], DefaultDomain())' --user ada.yaml --default-domain example.com""",
)
@click.argument("expression", metavar="EXPR")
@click.option(
    "--user",
    "file",
    required=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One person of a source, as JSON or YAML: attribute: value.",
)
@click.option(
    "--default-domain", default="", metavar="DOMAIN", help="What DefaultDomain() gives: spec.defaultDomain of a source."
)
@click.option(
    "--now", metavar="TIME", help="What Now() gives, such as 2026-01-01T00:00:00Z; the time it is when absent."
)
@output_option
def evaluate(expression: str, file: Path, default_domain: str, now: str | None, output: Format) -> None:
    """Evaluate an expression for one person, and explain each step.

    IsSoftDeleted is False where FILE doesn't say otherwise, as in a cycle for somebody who is active. Of
    SelectUniqueValue all candidates are shown, in the order in which an app is asked for them.
    """
    surroundings = _surroundings(default_domain, now)
    compiled = _compile(expression, surroundings)
    attributes = {SOFT_DELETED: False, **_read_person(file)}
    for name in sorted(compiled.attributes - attributes.keys()):
        say(f"note: {file} has no attribute {name}: it is null here")
    told = explain(compiled, attributes, surroundings)
    problem = "; ".join(_problems(told))
    data: dict[str, Json] = {"value": _json(told.value), "steps": [step_line(told).data()]}
    blocks: list[Block] = [Heading(f"value: {show_value(told.value)}"), Code(list(_tree(told, "")))]
    if compiled.alternatives and not problem:
        candidates, problem = _candidates(compiled, attributes)
        data["candidates"] = [_json(value) for value in candidates]
        lines = [f"{place}. {show_value(value)}" for place, value in enumerate(candidates, 1)]
        blocks += [Heading("the app gets the first of these that nobody there has:"), Code(lines)]
    if problem:
        data["error"] = problem
    show(Result(data, blocks), output)
    if problem:
        complain(Finding.error(problem))
        click.get_current_context().exit(Exit.FAILED)


def _surroundings(default_domain: str, now: str | None) -> Surroundings:
    usual = surroundings_of(system_runtime(), default_domain)
    if now is None:
        return usual
    try:
        moment = parse_moment(now)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--now") from error
    return replace(usual, now=lambda: moment)


def _compile(expression: str, surroundings: Surroundings) -> Compiled:
    try:
        return compile_expression(expression, surroundings)
    except ExpressionError as error:
        complain(Finding.error(error.problem))
        line = expression.splitlines()[error.position.line - 1 : error.position.line]
        for text in line:
            say(f"  {neutral(text).expandtabs(1)}")
            say("  " + " " * len(neutral(text[: error.position.column - 1])) + "^")
        raise click.exceptions.Exit(Exit.FAILED) from error


def _candidates(compiled: Compiled, attributes: Mapping[str, Value]) -> tuple[list[Value], str]:
    """The values that an app would be asked for, and why the next one has none, empty where all have one."""
    candidates: list[Value] = []
    try:
        candidates.extend(compiled.candidates(attributes))
    except EvaluationError as error:
        return candidates, error.message
    return candidates, ""


# --- the person -----------------------------------------------------------------------------------------------------


def _read_person(file: Path) -> dict[str, Value]:
    """Raises CycleError unless it is one object of texts, numbers, booleans, nulls and lists of them."""
    try:
        person = read_document(file, MAX_USER)
        if not isinstance(person, Mapping):
            raise ValueError("it has to be one object: attribute: value")  # noqa: TRY004 - a mistake of the user
        return {str(name): _value(str(name), value) for name, value in person.items() if value is not None}
    except OSError as error:
        raise CycleError(f"{file} can't be read: {error.strerror}", reason="FileNotFound") from error
    except ValueError as error:
        raise CycleError(f"{file} is no person: {error}", reason="InvalidData") from error


def _value(name: str, value: object) -> Value:
    if isinstance(value, list):
        return tuple(_scalar(name, item) for item in value)
    return _scalar(name, value)


def _scalar(name: str, value: object) -> Scalar:
    if isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"{name} is no text, number, boolean, or list of them (dates have to stand in quotes)")


# --- the steps ------------------------------------------------------------------------------------------------------


def _json(value: Value | None) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _problems(step: Step) -> Iterator[str]:
    if step.problem:
        yield step.problem
    for below in step.steps:
        yield from _problems(below)


def _tree(step: Step, indent: str) -> Iterator[str]:
    outcome = f"!! {step.problem}" if step.problem else show_value(step.value)
    yield f"{indent}{step.text} -> {outcome}"
    for below in step.steps:
        yield from _tree(below, f"{indent}  ")


def show_value(value: Value | None) -> str:
    """As text: `"a"`, `7`, `true`, several as `["a", "b"]`, none as `null`."""
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(show_value, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
