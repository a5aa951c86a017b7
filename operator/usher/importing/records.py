"""One object of the export at a time, and which of its fields were read: what was not is told, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from usher.core.errors import SpecError
from usher.core.model.resources import Json

MAX_SAID: Final = 12_000
"""Characters of one value in a note: an expression of 10,000 fits."""

_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Note:
    """What was not carried over, or not as it was. `place` is its path in the export, empty for the whole of it."""

    place: str
    message: str


def said(value: Json) -> str:
    """A value as one line of JSON in which nothing can steer a terminal or end a comment."""
    text = orjson.dumps(value).decode()
    more = len(text) - MAX_SAID
    return f"{plain(text[:MAX_SAID])}… ({more} characters more)" if more > 0 else plain(text)


def plain(text: str) -> str:
    """A text as it is, but for the signs that can't be seen or that end a line."""
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"


def says_something(value: Json) -> bool:
    """Whether a field holds anything: null and what is empty don't."""
    return value is not None and value not in ("", [], {})


def kind_of(value: Json) -> str:
    """What a value is, for messages."""
    return _KINDS[type(value)]


class Record:
    """An object of the export, at `place` in it. `label` names it in its notes, such as its target attribute."""

    def __init__(self, content: Mapping[str, Json], place: str, notes: list[Note]) -> None:
        self._content = content
        self._read: set[str] = set()
        self.place = place
        self.notes = notes
        self.label = ""

    def said(self) -> str:
        """All of it, as it stands in the export."""
        return said(dict(self._content))

    def take(self, name: str) -> Json:
        """The value of a field, null where there is none."""
        self._read.add(name)
        return self._content.get(name)

    def text(self, name: str) -> str:
        """A text, empty where there is none; what is there and is no text is told."""
        value = self.take(name)
        if isinstance(value, str):
            return value
        if says_something(value):
            self.tell(f"{name} is {said(value)}, {kind_of(value)} where a text is expected: not carried over")
        return ""

    def scalars(self, *names: str) -> dict[str, Json]:
        """Those of these fields that hold one value that says something."""
        found: dict[str, Json] = {}
        for name in names:
            value = self._content.get(name)
            if says_something(value) and not isinstance(value, dict | list):
                found[name] = self.take(name)
        return found

    def record(self, name: str) -> Record | None:
        """An object, None where there is none. Raises SpecError where something else is there."""
        value = self.take(name)
        return None if value is None else as_record(value, self._path(name), self.notes)

    def records(self, name: str) -> list[Record]:
        """A list of objects, empty where there is none. Raises SpecError where something else is there."""
        value = self.take(name)
        if value is None:
            return []
        place = self._path(name)
        if not isinstance(value, list):
            raise SpecError(f"expected a list of objects, found {kind_of(value)}", path=place)
        return [as_record(item, f"{place}[{index}]", self.notes) for index, item in enumerate(value)]

    def tell(self, message: str) -> None:
        """Notes something about this object."""
        self.notes.append(Note(self.place, f"{plain(self.label)}: {message}" if self.label else message))

    def tell_rest(self) -> None:
        """Notes every field that says something and was not read."""
        for name, value in self._rest():
            self.tell(f"{plain(name)} is {said(value)}: Usher has nothing like it, so it is not carried over")

    def _rest(self) -> Iterator[tuple[str, Json]]:
        """The remarks of OData (`@odata.type`, `value@odata.type`) tell how to read the export, not what it says."""
        for name, value in self._content.items():
            if name not in self._read and "@odata." not in name and says_something(value):
                yield name, value

    def _path(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name


def as_record(value: Json, place: str, notes: list[Note]) -> Record:
    """The object at a place of the export. Raises SpecError where something else is there."""
    if not isinstance(value, dict):
        raise SpecError(f"expected an object, found {kind_of(value)}", path=place)
    return Record(value, place, notes)
