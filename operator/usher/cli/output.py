"""One result in four forms: for people (text), for a review (Markdown), for programs (JSON, YAML)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import yaml
from rich.cells import cell_len

from usher.cli.terminal import ResultConsole, neutral, one_line
from usher.core.model.resources import Json


class Format(StrEnum):
    """What `-o` takes."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"
    MARKDOWN = "markdown"

    @property
    def for_programs(self) -> bool:
        """Whether it shows everything, and nothing but the data."""
        return self in (Format.JSON, Format.YAML)


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of prose."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines whose first sign matters (`+`, `~`, `-`, `!`), or that are meant to be copied."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below their columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


Block: TypeAlias = Heading | Paragraph | Code | Table


@dataclass(slots=True)
class Result:
    """What a command found: the whole as data, and in blocks what a person wants to see of it."""

    data: Mapping[str, Json]
    blocks: list[Block] = field(default_factory=list)


def show(result: Result, form: Format) -> None:
    """Prints the result on stdout; nothing in it can steer the terminal. Raises BrokenPipeError if nobody reads on."""
    match form:
        case Format.TEXT:
            _show_text(result.blocks)
        case Format.JSON:
            print(neutral(json.dumps(result.data, ensure_ascii=False, indent=2)))
        case Format.YAML:
            print(_as_yaml(result.data).removesuffix("\n"))  # end="" would hide from us that nobody reads on
        case Format.MARKDOWN:
            print("\n".join(line for block in result.blocks for line in _as_markdown(block)))
    sys.stdout.flush()


# --- text -----------------------------------------------------------------------------------------------------------

_STYLES: Mapping[str, str] = {"+": "green", "~": "yellow", "-": "red", "!": "magenta", "=": "cyan", ".": "dim"}


def _show_text(blocks: Iterable[Block]) -> None:
    console = ResultConsole(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for block in blocks:
        for line, style in _as_text(block):
            console.print(line, style=style)


def _as_text(block: Block) -> Iterator[tuple[str, str | None]]:
    """Lines with their style."""
    match block:
        case Heading(text=text):
            yield one_line(text), "bold"
        case Paragraph(lines=lines):
            yield from ((f"  {one_line(line)}", None) for line in lines)
        case Code(lines=lines):
            yield from ((f"  {one_line(line)}", _STYLES.get(line[:1])) for line in lines)
        case Table():
            yield from ((line, None) for line in _aligned(block))


def _aligned(table: Table) -> Iterator[str]:
    rows = [[one_line(cell) for cell in row] for row in ([name.upper() for name in table.columns], *table.rows)]
    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(table.columns))]
    for row in rows:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


# --- Markdown -------------------------------------------------------------------------------------------------------


def _as_markdown(block: Block) -> Iterator[str]:
    match block:
        case Heading(text=text):
            yield from (f"## {_plain(text)}", "")
        case Paragraph(lines=lines):
            yield from (*(f"{_plain(line)}  " for line in lines), "")
        case Code(lines=lines):
            fence = "`" * max(3, 1 + max((_longest_run(line) for line in lines), default=0))
            yield from (f"{fence}diff", *map(one_line, lines), fence, "")
        case Table(columns=columns, rows=rows):
            yield _markdown_row(columns)
            yield _markdown_row(["---"] * len(columns))
            yield from map(_markdown_row, rows)
            yield ""


def _plain(text: str) -> str:
    """Foreign text that stays text: no markup, no link, no HTML."""
    line = one_line(text).replace("\\", "\\\\")
    return "".join(f"\\{sign}" if sign in "`*_{}[]<>#|!~" else sign for sign in line)


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell if cell == "---" else _plain(cell) for cell in cells) + " |"


def _longest_run(line: str) -> int:
    longest = run = 0
    for sign in line:
        run = run + 1 if sign == "`" else 0
        longest = max(longest, run)
    return longest


# --- YAML -----------------------------------------------------------------------------------------------------------


def _as_yaml(data: Mapping[str, Json]) -> str:
    text: str = yaml.safe_dump(_unshared(data), sort_keys=False, allow_unicode=True, width=120)
    if neutral(text) == text:
        return text
    escaped: str = yaml.safe_dump(_unshared(data), sort_keys=False, allow_unicode=False, width=120)
    return escaped


def _unshared(data: Mapping[str, Json]) -> object:
    """A copy in which nothing is there twice by identity: YAML would write anchors."""
    return json.loads(json.dumps(data))
