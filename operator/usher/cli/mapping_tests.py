"""Unit tests that users keep beside a mapping: the documents of `usher validate --test`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import AfterValidator, Field, ValidationError

from usher.api.manifests import findings_of
from usher.api.schemas import structural_schema
from usher.api.v1alpha1.rules import Rule, Strict, broken, exactly_one
from usher.api.wording import Problem, problem_of
from usher.cli.documents import read_document
from usher.cli.findings import Finding
from usher.cli.moments import parse_moment
from usher.core.errors import SpecError
from usher.core.model.resources import AttributePath, Value
from usher.core.scim.paths import parse_path

MAX_FILE: Final = 4 * 1024 * 1024
MAX_CASES: Final = 10_000
_LIST: Final = "tests"


def _check_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    for name, value in attributes.items():
        items = value if isinstance(value, list) else [value]
        if not all(item is None or isinstance(item, str | bool | int | float) for item in items):
            raise broken(f"{name} has to be a text, a number, true, false, null, or a list of them")
    return attributes


def _check_paths(values: dict[str, Any]) -> dict[str, Any]:
    for path in values:
        try:
            parse_path(AttributePath(path))
        except SpecError as error:
            raise broken(error.problem) from error
    return values


def _check_moment(text: str) -> str:
    try:
        parse_moment(text)
    except ValueError as error:
        raise broken(str(error)) from error
    return text


Attributes: TypeAlias = Annotated[dict[str, Any], AfterValidator(_check_attributes)]
Values: TypeAlias = Annotated[dict[str, Any], AfterValidator(_check_paths)]


class Case(Strict):
    """One person of a source, and what the mapping is to make of it."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("expected", "error"),)

    name: str | None = Field(default=None, min_length=1, max_length=256, description="What is tested, in words.")
    input: Attributes = Field(description="The person: attribute of the source, and value.")
    expected: Values | None = Field(default=None, description="Path of the app, and value; null: no value.")
    only: bool = Field(default=False, description="Whether no other path may have a value.")
    create: bool | None = Field(
        default=None,
        description="Whether the values are those that a new account gets (when absent, for somebody who is active),"
        " or those of an update.",
    )
    error: str | None = Field(default=None, min_length=1, description="Part of the message with which it fails.")

    @property
    def attributes(self) -> dict[str, Value]:
        """The person as a source gives it: what is null is left out."""
        return {
            name: tuple(item for item in value if item is not None) if isinstance(value, list) else value
            for name, value in self.input.items()
            if value is not None
        }


class CaseFile(Strict):
    """What one file holds. Time and chance stand still, so that a test gives the same each time."""

    mapping: str | None = Field(default=None, min_length=1, description="NAME or NAMESPACE/NAME of the mapping.")
    now: Annotated[str, AfterValidator(_check_moment)] = Field(
        default="2026-01-01T00:00:00+00:00", description="What Now() gives."
    )
    seed: int = Field(default=1, ge=0, le=2**63, description="Where chance begins, in each test anew.")
    default_domain: str | None = Field(default=None, min_length=1, description="What DefaultDomain() gives.")
    tests: tuple[Case, ...] = Field(min_length=1, max_length=MAX_CASES, description="The tests.")

    @property
    def moment(self) -> datetime:
        """`now`, in UTC."""
        return parse_moment(self.now)


@dataclass(frozen=True, slots=True)
class Placed:
    """The tests of one file, and the YAML path at which the list of them stands in it."""

    file: Path
    content: CaseFile
    path: str

    def place(self, index: int) -> str:
        """The YAML path of one test."""
        return f"{self.path}[{index}]"


def read_cases(file: Path) -> Placed | list[Finding]:
    """The tests of a file: a list of them, or an object with `tests`. What is wrong with it comes with its place."""
    try:
        document = read_document(file, MAX_FILE)
        is_list = isinstance(document, list)
        whole = {_LIST: document} if is_list else document
        if not isinstance(whole, Mapping):
            raise ValueError("it has to be a list of tests, or an object with tests")  # noqa: TRY004 - a user's mistake
        text = _as_json(whole)
    except OSError as error:
        return [Finding.error(f"can't be read: {error.strerror}", file=str(file))]
    except ValueError as error:
        return [Finding.error(str(error), file=str(file))]
    try:
        return Placed(file, CaseFile.model_validate_json(text), "" if is_list else _LIST)
    except ValidationError as error:
        schema = structural_schema(CaseFile)
        problems = [problem_of(each, schema) for each in findings_of(error)]
        return [_finding(problem, file, is_list=is_list) for problem in problems]


def _finding(problem: Problem, file: Path, *, is_list: bool) -> Finding:
    path = problem.path.removeprefix(_LIST) if is_list else problem.path
    return Finding.error(problem.message, file=str(file), path=path)


def _as_json(document: Mapping[Any, Any]) -> str:
    """Raises ValueError for what is no JSON; only `now` may be a time without quotes."""
    now = document.get("now")
    given = {**document, "now": now.isoformat()} if isinstance(now, datetime) else dict(document)
    try:
        return json.dumps({name: value for name, value in given.items() if value is not None}, allow_nan=False)
    except TypeError as error:
        raise ValueError("a date has to stand in quotes, and so has a name that is none") from error
