"""The bytes of an export: hostile until weighed."""

from __future__ import annotations

import codecs
import json
from typing import Final

import orjson

from usher.core.errors import SpecError, scrub
from usher.core.model.resources import Json
from usher.importing.records import Note, Record, as_record, kind_of

MAX_EXPORT: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 128
"""Levels of JSON: an expression of 32 nested functions takes three for each."""
MAX_VALUES: Final = 1_000_000
RULES: Final = "synchronizationRules"
_SHOWN: Final = 10
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
"""Shells of Windows begin a file that they write with one of these."""


def read_export(raw: bytes, notes: list[Note]) -> Record:
    """The synchronization schema: the document itself, or what it has under `schema`.

    Raises SpecError, and nothing else, where the bytes hold no such thing. What stands beside `schema` is noted.
    """
    if len(raw) > MAX_EXPORT:
        raise SpecError(f"the export is larger than {MAX_EXPORT // 2**20} MiB")
    text = _decode(raw)
    document = _parse(text)
    _weigh(document)
    _refuse_repeated_keys(text)
    if not isinstance(document, dict):
        raise SpecError(f"expected an object with {RULES} at the top or under schema, found {kind_of(document)}")
    whole = as_record(document, "", notes)
    if RULES in document:
        return whole
    inner = document.get("schema")
    if isinstance(inner, dict) and RULES in inner:
        whole.take("schema")
        whole.tell_rest()
        return as_record(inner, "schema", notes)
    found = ", ".join(scrub(name) for name in list(document)[:_SHOWN]) or "nothing"
    raise SpecError(f"expected {RULES} (a list of objects) at the top or under schema, found there: {found}")


def _decode(raw: bytes) -> str:
    mark, encoding = next(((mark, name) for mark, name in _BOMS if raw.startswith(mark)), (b"", "utf-8"))
    try:
        return raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise SpecError(f"this is no JSON: it is no text in {encoding.upper()}") from error


def _parse(text: str) -> Json:
    try:
        document: Json = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SpecError(f"{where}: this is no JSON: {scrub(error.msg)}") from error
    return document


def _weigh(document: Json) -> None:
    """Raises SpecError for more levels or values than any export has."""
    waiting, values = [(document, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        values += 1
        if values > MAX_VALUES:
            raise SpecError(f"the export holds more than {MAX_VALUES:,} values")
        if inner and depth >= MAX_DEPTH:
            raise SpecError(f"the export is nested more than {MAX_DEPTH} deep")
        waiting.extend((each, depth + 1) for each in inner)


def _refuse_repeated_keys(text: str) -> None:
    """Raises SpecError where an object has a key twice: the second would silently win."""

    def unique(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise SpecError(f"the key {scrub(name)} stands twice in one object: remove one of them")
            seen.add(name)

    json.loads(text, object_pairs_hook=unique, parse_int=str, parse_float=str)
