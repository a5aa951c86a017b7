"""What an app says of itself, out of a file: its `/Schemas` document, as `curl` brings it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import orjson

from usher.cli.documents import read_document
from usher.core.errors import CycleError
from usher.core.model.resources import Json
from usher.core.scim.discovery import Discovery, Documents, read_discovery

MAX_SCHEMAS: Final = 16 * 1024 * 1024


def read_schemas(file: Path | None) -> Discovery:
    """What this document tells of users, by the same rules as discovery; without a file what RFC 7643 has.

    Raises CycleError where it can't be read, and where no attribute of a user is in it.
    """
    if file is None:
        return Discovery()
    try:
        document = _plain(read_document(file, MAX_SCHEMAS))
    except OSError as error:
        raise CycleError(f"{file} can't be read: {error.strerror}", reason="FileNotFound") from error
    except ValueError as error:
        raise CycleError(f"{file} is no /Schemas document: {error}", reason="InvalidData") from error
    discovery = read_discovery(Documents(schemas=document))
    if not discovery.attributes:
        wanted = "a ListResponse, a list of schemas or one schema, with id and attributes (RFC 7643, section 7)"
        raise CycleError(f"{file} describes no attribute of a user: it has to be {wanted}", reason="InvalidData")
    return discovery


def _plain(document: object) -> Json:
    """As JSON: YAML has dates, and keys that are no texts. Raises ValueError."""
    try:
        plain: Json = orjson.loads(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS, default=str))
    except orjson.JSONEncodeError as error:
        raise ValueError("it is too deep, or holds numbers that are too large") from error
    return plain
