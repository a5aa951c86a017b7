"""Documents cut to what a client asks for (RFC 7644 section 3.9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from usher.core.model.resources import Json
from usher.testing.documents import Document
from usher.testing.scim_filters import split_path
from usher.testing.scim_schemas import Definition, find_definition

_MINIMUM: Final = ("id", "schemas")


def choose(document: Document, paths: Iterable[str], attributes: Sequence[Definition]) -> Document:
    """The document with nothing but these attributes, in its own order, and what is always there (RFC 7644 3.9)."""
    wanted = [_steps(path, attributes) for path in (*_MINIMUM, *paths)]
    return {
        name: part for name, value in document.items() if (part := _part(name, value, wanted)) not in (None, {}, [])
    }


def _part(name: str, value: Json, wanted: list[tuple[str, ...]]) -> Json:
    deeper = [steps[1:] for steps in wanted if steps[0] == name.lower()]
    if not deeper:
        return None
    if () in deeper:
        return value
    if isinstance(value, list):
        return [_part(name, item, wanted) for item in value]
    if not isinstance(value, dict):
        return value
    return {sub: part for sub, held in value.items() if (part := _part(sub, held, deeper)) is not None}


def leave_out(document: Document, paths: Iterable[str], attributes: Sequence[Definition]) -> Document:
    """The document without these attributes, of which some are always there."""
    for steps in (_steps(path, attributes) for path in paths):
        if steps[0] not in _MINIMUM:
            _drop(document, steps)
    return document


def _drop(holder: Json, steps: tuple[str, ...]) -> None:
    if isinstance(holder, list):
        for item in holder:
            _drop(item, steps)
    elif isinstance(holder, dict):
        for name in [name for name in holder if name.lower() == steps[0]]:
            if len(steps) == 1:
                del holder[name]
            else:
                _drop(holder[name], steps[1:])


def _steps(path: str, attributes: Sequence[Definition]) -> tuple[str, ...]:
    if find_definition(attributes, path) is not None:
        return (path.lower(),)
    return tuple(part.lower() for part in split_path(path) if part)
