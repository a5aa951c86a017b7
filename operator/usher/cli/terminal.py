"""Foreign text on a terminal: nothing in it may steer the terminal or reorder what is read."""

from __future__ import annotations

import os
import re
import sys
from typing import Final, TextIO

from rich.console import Console

from usher.cli.findings import Finding

_STEERING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, DEL, C1 (one byte of escape sequences)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks and overrides
    "\u2028\u2029\ufeff\ufff9-\ufffb"
    "\ud800-\udfff"  # half a character: it can't be written at all
    "\U000e0000-\U000e007f]"  # invisible tags
)
_BREAKS: Final = {"\n": "\\n", "\t": "\\t"}


def neutral(text: str) -> str:
    """The text with everything that steers a terminal written as an escape; line feeds and tabs stay."""
    return _STEERING.sub(_escape, text)


def one_line(text: str) -> str:
    """The same for a cell of a table: line feeds and tabs are escaped as well."""
    return neutral("".join(_BREAKS.get(character, character) for character in text))


def _escape(match: re.Match[str]) -> str:
    """In the form that JSON and YAML read back as the same character."""
    return "".join(f"\\u{ord(unit):04x}" for unit in _utf16(match[0]))


def _utf16(character: str) -> str:
    if ord(character) <= 0xFFFF:
        return character
    raw = character.encode("utf-16-be")
    return "".join(chr(int.from_bytes(raw[i : i + 2], "big")) for i in (0, 2))


class ResultConsole(Console):
    """A console that raises BrokenPipeError when nobody reads on, where rich would end the process."""

    def on_broken_pipe(self) -> None:
        """Called by rich inside of its handler for the error."""
        raise BrokenPipeError


class _NoteConsole(Console):
    """A console whose silence stops no work: what is said on stderr is no result."""

    def on_broken_pipe(self) -> None:
        """Called by rich inside of its handler for the error."""
        mute(sys.stderr)


def mute(stream: TextIO) -> None:
    """Lets what is written to the stream, and what is still in its buffer, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def make_console() -> Console:
    """The console of stderr as it is now; on a terminal with colours, unless NO_COLOR is set."""
    return _NoteConsole(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(text: str) -> None:
    """A line on stderr: what the command does, not its result."""
    make_console().print(neutral(text))


def complain(finding: Finding) -> None:
    """An error or a warning on stderr."""
    style = "red" if finding.is_error else "yellow"
    console = make_console()
    console.print(f"{finding.severity}:", style=f"bold {style}", end=" ")
    console.print(neutral(str(finding)))


def fail(message: str) -> None:
    """An error that belongs to no object."""
    complain(Finding.error(message))
