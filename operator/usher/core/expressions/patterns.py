"""Regular expressions, on RE2: the time of a match grows with the text only, whatever pattern somebody wrote.

The Python module `re` was rejected for that: it backtracks, and one pattern could stop the operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

import re2

from usher.core.expressions.dialect import PatternError, translate
from usher.core.expressions.values import MAX_BYTES

MAX_PATTERN: Final = 1_000
"""Characters of a pattern."""
_MAX_MEMORY: Final = 4 * 1024 * 1024
"""Bytes that RE2 takes for one pattern, what it remembers while matching included."""
_MAX_WORK: Final = 2**28
"""Instructions of the program times bytes of text, over all matches: each may look at all that is left of the text.

So much takes some seconds in the worst case that was found, and milliseconds in most. A limit of time was rejected: the
same person would fail on a busy machine and not on an idle one.
"""
_REFERENCE: Final = re.compile(r"\$(?:(?P<number>[0-9]{1,3})|\{(?P<name>\w+)\}|(?P<sign>[$&]))", re.ASCII)
_NOT_UNICODE: Final = "has half of a surrogate pair, which is no character"
_TOO_LONG: Final = "is longer than 64 KiB"
_TOO_MUCH: Final = "is too long for this pattern: shorten one of them, or let a match take more at once, with +"
_WORDS: Final = {
    "missing ]": "has a [ without its ]",
    "missing )": "has a ( without its )",
    "unexpected )": "has a ) without its (",
    "trailing \\": "ends with a backslash",
    "no argument for repetition operator": "has a repetition (*, +, ?, {n}) of nothing",
    "bad repetition operator": "repeats a repetition",
    "invalid repetition size": "has a repetition of more than 1,000 times",
    "invalid character class range": "has a range or a class of characters that is none",
    "invalid escape sequence": "has a backslash before a letter or digit that has no meaning after one",
    "invalid named capture group": "has a group whose name never ends",
    "invalid perl operator": "has a (? that RE2 does not know",
    "pattern too large": "is too large when its repetitions are written out",
}

Template: TypeAlias = tuple[str | int, ...]
"""What a match becomes: texts, and groups by their index."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that can be used: `size` instructions, and its groups, `names` by name and `numbers` by number.

    The numbers are those of .NET: groups without a name come first. RE2 counts all in the order of their parentheses.
    """

    source: str
    size: int
    names: dict[str, int]
    numbers: tuple[int, ...]
    _compiled: Any = field(repr=False, compare=False)

    def fits(self, text: str) -> bool:
        """Whether the whole text matches. Raises PatternError where the text is not Unicode, or too long."""
        self._check(text, 0)
        return self._compiled.fullmatch(text) is not None

    def find(self, text: str, group: int) -> str | None:
        """What the group matched in the first match, null where there is none. Raises PatternError as `fits`."""
        self._check(text, 0)
        match = self._compiled.search(text)
        found: str | None = None if match is None else match[group]
        return found

    def _check(self, text: str, done: int) -> int:
        """The work of one more search, `done` included. Raises PatternError."""
        if len(text) > MAX_BYTES:
            raise PatternError(_TOO_LONG)
        try:
            work = done + len(text.encode()) * self.size
        except UnicodeEncodeError:
            raise PatternError(_NOT_UNICODE) from None
        if work > _MAX_WORK:
            raise PatternError(_TOO_MUCH)
        return work

    def find_group(self, name: str) -> int:
        """The index of a group by its name or number. Raises PatternError where there is none."""
        if name in self.names:
            return self.names[name]
        if name.isascii() and name.isdigit() and len(name) <= 3 and int(name) < len(self.numbers):
            return self.numbers[int(name)]
        raise PatternError("has no such group")

    def template(self, replacement: str) -> Template:
        """Reads `$1`, `${1}`, `${name}`, `$&` (all that matched) and `$$` (a dollar). Raises PatternError."""
        parts: list[str | int] = []
        end = 0
        for reference in _REFERENCE.finditer(replacement):
            parts.append(replacement[end : reference.start()])
            parts.append(self._read_reference(reference))
            end = reference.end()
        parts.append(replacement[end:])
        return tuple(part for part in parts if part != "")

    def _read_reference(self, reference: re.Match[str]) -> str | int:
        if sign := reference["sign"]:
            return "$" if sign == "$" else 0
        return self.find_group(reference["number"] or reference["name"])

    def rewrite(self, text: str, template: Template, group: int = 0) -> Iterator[str]:
        """The text in pieces, in which each match, or the group of each match, became what the template says.

        Raises PatternError as `fits`, and where there are too many matches.
        """
        end, work, former = 0, self._check(text, 0), (-1, -1)
        for match in self._compiled.finditer(text):
            work = self._check(text[match.end() :], work)
            repeated, former = match.span() == former, match.span()
            start, stop = match.span(group)
            if repeated or start < end:
                continue  # RE2's module finds some empty matches twice; or the group took no part
            yield text[end:start]
            yield from (part if isinstance(part, str) else match[part] or "" for part in template)
            end = stop
        yield text[end:]


@lru_cache(maxsize=16)
def compile_pattern(source: str) -> Pattern:
    """Raises PatternError, and nothing else, where RE2 can't use the pattern.

    Few are remembered, and none by RE2's own module, which would keep 128: each may take `_MAX_MEMORY`.
    """
    if len(source) > MAX_PATTERN:
        raise PatternError(f"has more than {MAX_PATTERN:,} characters")
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    try:
        compiled = re2.compile(translate(source), options)
    except UnicodeEncodeError:
        raise PatternError(_NOT_UNICODE) from None
    except re2.error as error:
        raise PatternError(_explain(error)) from None
    finally:
        re2.purge()
    names = dict(compiled.groupindex)
    named = set(names.values())
    unnamed = [index for index in range(1, compiled.groups + 1) if index not in named]
    return Pattern(source, compiled.programsize, names, (0, *unnamed, *sorted(named)), compiled)


def _explain(error: Exception) -> str:
    """RE2 says what is wrong, a colon, and the part of the pattern, which is not ours to tell."""
    said = error.args[0]
    kind = (said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)).split(":")[0]
    known = next((words for start, words in _WORDS.items() if kind.startswith(start)), "")
    return known or "is no regular expression of RE2"
