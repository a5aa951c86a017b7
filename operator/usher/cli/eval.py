"""`usher eval`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from usher.assembly.ends import surroundings_of, system_runtime
from usher.cli.documents import parse_text
from usher.cli.exits import Exit
from usher.cli.findings import Finding
from usher.cli.options import output_option
from usher.cli.output import Code, Format, Heading, Result, show
from usher.cli.terminal import complain, neutral, say
from usher.core.errors import CycleError
from usher.core.expressions.compile import Compiled, compile_expression
from usher.core.expressions.errors import ExpressionError
from usher.core.expressions.explain import Step, explain
from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import Json, Scalar, Value
from usher.core.sync.mapping import SOFT_DELETED

MAX_USER: Final = 1024 * 1024


@click.command(
    name="eval",
    short_help="Evaluate an expression and explain each step.",
    epilog="""Example: usher eval 'Join(" ", [givenName], [surname])' --user ada.yaml""",
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
@output_option
def evaluate(expression: str, file: Path, output: Format) -> None:
    """Evaluate an expression for one person, and explain each step.

    IsSoftDeleted is False where FILE doesn't say otherwise, as in a cycle for somebody who is active.
    """
    surroundings = surroundings_of(system_runtime())
    compiled = _compile(expression, surroundings)
    attributes = {SOFT_DELETED: False, **_read_person(file)}
    for name in sorted(compiled.attributes - attributes.keys()):
        say(f"note: {file} has no attribute {name}: it is null here")
    told = explain(compiled, attributes, surroundings)
    problem = "; ".join(_problems(told))
    data: dict[str, Json] = {"value": _json(told.value), "steps": [_data_of(told)]}
    if problem:
        data["error"] = problem
    lines = list(_tree(told, ""))
    show(Result(data, [Heading(f"value: {_shown(told.value)}"), Code(lines)]), output)
    if problem:
        complain(Finding.error(problem))
        click.get_current_context().exit(Exit.FAILED)


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


# --- the person -----------------------------------------------------------------------------------------------------


def _read_person(file: Path) -> dict[str, Value]:
    """Raises CycleError unless it is one object of texts, numbers, booleans, nulls and lists of them."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_USER + 1)
        if len(raw) > MAX_USER:
            raise ValueError("it is larger than 1 MiB")
        person = parse_text(raw, name=file.name)
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


def _data_of(step: Step) -> dict[str, Json]:
    data: dict[str, Json] = {"text": step.text, "value": _json(step.value)}
    if step.problem:
        data["problem"] = step.problem
    data["steps"] = [_data_of(below) for below in step.steps]
    return data


def _problems(step: Step) -> Iterator[str]:
    if step.problem:
        yield step.problem
    for below in step.steps:
        yield from _problems(below)


def _tree(step: Step, indent: str) -> Iterator[str]:
    outcome = f"!! {step.problem}" if step.problem else _shown(step.value)
    yield f"{indent}{step.text} -> {outcome}"
    for below in step.steps:
        yield from _tree(below, f"{indent}  ")


def _shown(value: Value | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
