"""What the demo prints: headings, the commands that it runs, what they answer. Plain text unless a person looks on."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import Final

WIDTH: Final = 100

_SHOWN_TAIL: Final = 68
_OPERATORS: Final = ("|", "&", ">", "<<")


class Terminal:
    """Writes lines of at most 100 columns to the standard output; colours only on a terminal without NO_COLOR."""

    def __init__(self) -> None:
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def heading(self, text: str) -> None:
        """The next step."""
        self._write("")
        self._write(text, "1")

    def say(self, text: str) -> None:
        """A sentence to the reader."""
        self._write(text)

    def fact(self, text: str) -> None:
        """Something that was found out."""
        self._write(f"  {text}", "32")

    def trouble(self, text: str) -> None:
        """Something that went wrong."""
        self._write(text, "31")

    def command(self, words: Sequence[str]) -> None:
        """A command that is being run, as it would be typed; broken where it is too long."""
        for line in _folded(word if word in _OPERATORS else shlex.quote(word) for word in words):
            self._write(line, "36")

    def given(self, text: str) -> None:
        """What the command is given, after `<< END`: not indented and not shortened, so that it can be copied."""
        for line in (*text.splitlines(), "END"):
            self._write(line, "36")

    def typed(self, line: str) -> None:
        """A line for a shell, not broken, so that it can be copied."""
        self._write(f"$ {line}", "36")

    def output(self, text: str) -> None:
        """The answer of a program, indented; what is too long for a line loses its middle."""
        for line in text.rstrip().splitlines():
            self._write(f"  {_shortened(line, WIDTH - 2)}")

    def _write(self, text: str, colour: str = "") -> None:
        shown = f"\x1b[{colour}m{text}\x1b[0m" if colour and self._coloured else text
        sys.stdout.write(f"{shown}\n")
        sys.stdout.flush()


def _folded(words: Iterable[str]) -> list[str]:
    lines = ["$"]
    for word in words:
        if len(lines[-1]) + len(word) + 3 > WIDTH and lines[-1] != "$":
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}"
    return lines


def _shortened(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    return f"{line[: width - _SHOWN_TAIL - 1]}…{line[-_SHOWN_TAIL:]}"
