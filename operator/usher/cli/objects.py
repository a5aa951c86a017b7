"""ConfigMaps and Secrets out of files: what the API server would keep of them."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from usher.cli.findings import Finding

MAX_SIZE: Final = 1024 * 1024
"""Bytes of all values together, as at the API server."""
KINDS: Final = frozenset({"ConfigMap", "Secret"})
_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_SPACE: Final = re.compile(rb"\s+")


@dataclass(frozen=True, slots=True)
class DataObject:
    """A ConfigMap or a Secret. Its values show themselves to nobody."""

    file: str
    values: Mapping[str, bytes] = field(repr=False)


def identity_of(content: Mapping[str, Any]) -> tuple[str, str]:
    """(`namespace/name`, name) of an object, empty where it has no usable name."""
    metadata = content.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name, namespace = metadata.get("name"), metadata.get("namespace", "default")
    if not isinstance(name, str) or not isinstance(namespace, str):
        return "", ""
    return f"{namespace}/{name}", name


def is_data(content: Mapping[str, Any]) -> bool:
    """Whether it is a ConfigMap or a Secret."""
    return content.get("apiVersion") == "v1" and content.get("kind") in KINDS


def read_data(content: Mapping[str, Any], file: str) -> tuple[DataObject, list[Finding]]:
    """The values of a ConfigMap or a Secret, and what is wrong with it. No finding repeats a value."""
    kind = str(content["kind"])
    key, name = identity_of(content)
    subject = f"{kind}/{name}"
    if not all(_NAME.fullmatch(part) for part in key.split("/")):
        return DataObject(file, {}), [Finding.error("needs a name", file=file, subject=kind, path="metadata.name")]
    fields: dict[str, Callable[[str], bytes]] = (
        {"data": _decode, "stringData": str.encode} if kind == "Secret" else {"data": str.encode, "binaryData": _decode}
    )
    values: dict[str, bytes] = {}
    findings: list[Finding] = []
    for part, read in fields.items():
        held = content.get(part)
        if held is not None and not isinstance(held, Mapping):
            findings.append(Finding.error("must be an object", file=file, subject=subject, path=part))
            continue
        for entry, value in (held or {}).items():
            try:
                values[str(entry)] = _value(value, read)
            except ValueError as error:
                findings.append(Finding.error(str(error), file=file, subject=subject, path=f"{part}.{entry}"))
    if sum(map(len, values.values())) > MAX_SIZE:
        problem = "larger than 1 MiB, which no cluster takes: name a large CSV with spec.csv.file instead"
        findings.append(Finding.error(problem, file=file, subject=subject))
    return DataObject(file, values), findings


def _value(value: object, read: Callable[[str], bytes]) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str):
        raise ValueError("must be text: put it in quotes")  # noqa: TRY004 - a mistake of the user, told as such
    return read(value)


def _decode(text: str) -> bytes:
    try:
        return b64decode(_SPACE.sub(b"", text.encode()), validate=True)
    except ValueError:
        raise ValueError("must be base64; plain text of a Secret goes into stringData") from None
