"""YAML and JSON documents out of files and folders, as kubectl finds them; hostile until weighed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from usher.cli.findings import Finding
from usher.core.errors import scrub

SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
MAX_FILE: Final = 16 * 1024 * 1024
MAX_FILES: Final = 5_000
MAX_DEPTH: Final = 64
MAX_WEIGHT: Final = 200_000
"""Values of one document with its aliases written out; nine lines of aliases can stand for a billion values."""
MAX_ITEMS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Locations:
    """The files and folders that the user named; `recursive` takes the folders in them too."""

    paths: tuple[Path, ...]
    recursive: bool = False

    @property
    def folder(self) -> Path:
        """The first folder named, or that of the first file."""
        first = self.paths[0]
        return first if first.is_dir() else first.parent


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file, out of a list where it stood in one."""

    file: Path
    content: Mapping[str, Any]


@dataclass(slots=True)
class Reading:
    """The documents that could be read, and what is wrong with the others."""

    documents: list[Document] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class _Refused(Exception):
    """The text of a file is no document that we read; the message says why, and where."""


def read_documents(locations: Locations) -> Reading:
    """Everything in these files and folders. Raises nothing: what can't be read is a finding."""
    reading = Reading()
    for file in _files(locations, reading):
        try:
            for document in _parse(file):
                reading.documents.extend(_objects(file, document))
        except _Refused as refused:
            reading.findings.append(Finding.error(str(refused), file=str(file)))
        except OSError as error:
            reading.findings.append(Finding.error(f"can't be read: {error.strerror}", file=str(file)))
    return reading


def _files(locations: Locations, reading: Reading) -> Sequence[Path]:
    found: dict[Path, Path] = {}
    for path in locations.paths:
        for file in _files_of(path, locations) if path.is_dir() else [path]:
            found.setdefault(file.resolve(), file)
            if len(found) > MAX_FILES:
                reading.findings.append(Finding.error(f"more than {MAX_FILES} files", file=str(path)))
                return list(found.values())[:MAX_FILES]
    if not found:
        folders = ", ".join(str(path) for path in locations.paths)
        reading.findings.append(Finding.error("no *.yaml, *.yml or *.json in it", file=folders))
    return list(found.values())


def _files_of(folder: Path, locations: Locations) -> Iterator[Path]:
    entries = folder.rglob("*") if locations.recursive else folder.iterdir()
    yield from sorted(entry for entry in entries if entry.suffix in SUFFIXES and entry.is_file())


def _parse(file: Path) -> Iterator[object]:
    with file.open("rb") as opened:
        raw = opened.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise _Refused(f"larger than {MAX_FILE // 2**20} MiB: name a large CSV with spec.csv.file instead")
    if file.suffix == ".json":
        yield _parse_json(raw)
    else:
        yield from _parse_yaml(raw)


def read_document(file: Path, limit: int) -> object:
    """The one document of a file of at most so many bytes. Raises OSError, and ValueError that says what is wrong."""
    with file.open("rb") as opened:
        raw = opened.read(limit + 1)
    if len(raw) > limit:
        raise ValueError(f"it is larger than {limit // 2**20} MiB")
    return parse_text(raw, name=file.name)


def parse_text(raw: bytes, *, name: str) -> object:
    """One document of JSON or YAML. Raises ValueError that says what is wrong and where."""
    try:
        documents = [_parse_json(raw)] if name.endswith(".json") else list(_parse_yaml(raw))
    except _Refused as refused:
        raise ValueError(str(refused)) from refused
    if len(documents) != 1:
        raise ValueError(f"it holds {len(documents)} documents, and has to hold one")
    return documents[0]


def _parse_json(raw: bytes) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _Refused(f"line {error.lineno}, column {error.colno}: this is no JSON: {scrub(error.msg)}") from error


def _parse_yaml(raw: bytes) -> Iterator[object]:
    try:
        yield from yaml.load_all(raw, Loader=_WeighingLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = scrub(error.problem or "it breaks off")
        if problem.startswith("found undefined alias"):
            problem = "a value that begins with * has to stand in quotes"  # the name may be half of a password
        raise _Refused(f"{where}this is no YAML: {problem}") from error
    except yaml.YAMLError as error:
        raise _Refused("this is no YAML: it holds bytes that are no text") from error
    except RecursionError as error:
        raise _Refused(f"more than {MAX_DEPTH} levels") from error
    except (ValueError, OverflowError) as error:
        raise _Refused("a value can't be read: a date that does not exist, or a number without end") from error


class _WeighingLoader(yaml.SafeLoader):
    """The safe loader, for documents of bounded depth and weight in which every key stands once."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self._depth = 0
        self._weights: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Weighs each node once; an alias weighs what it stands for."""
        is_alias = bool(self.check_event(yaml.AliasEvent))
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is None or (is_alias and id(node) in self._weights):
            return node
        if is_alias:
            raise _complaint("an alias inside of what it stands for", node)
        if self._depth >= MAX_DEPTH:
            raise _complaint(f"more than {MAX_DEPTH} levels", node)
        if isinstance(node, yaml.MappingNode):
            _refuse_repeated_key(node)
        weight = 1 + sum(self._weights[id(part)] for part in _parts(node))
        if weight > MAX_WEIGHT:
            raise _complaint(f"more than {MAX_WEIGHT} values", node)
        self._weights[id(node)] = weight
        return node

    def compose_document(self) -> yaml.Node | None:
        """The weights belong to nodes of one document."""
        self._weights.clear()
        return super().compose_document()


def _complaint(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _refuse_repeated_key(node: yaml.MappingNode) -> None:
    """The second of two equal keys would silently win."""
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if key.value in seen:
                raise _complaint(f"the key {key.value!r} stands twice", key)
            seen.add(key.value)


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _objects(file: Path, document: object) -> Iterator[Document]:
    """The objects of a document: none where it is empty, several where it is a List."""
    waiting, seen = [document], 0
    while waiting:
        current = waiting.pop()
        seen += 1
        if seen > MAX_ITEMS:
            raise _Refused(f"more than {MAX_ITEMS} objects in one document")
        if current is None:
            continue
        if not isinstance(current, Mapping):
            raise _Refused("a document has to be an object with apiVersion, kind and metadata")
        items = current.get("items")
        if str(current.get("kind", "")).endswith("List") and isinstance(items, list):
            waiting.extend(reversed(items))
        else:
            yield Document(file, current)
