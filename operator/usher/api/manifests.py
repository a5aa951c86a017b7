"""From a document, out of YAML or from the API server, to an object of ours, or to all that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from usher.api.names import API_VERSION
from usher.api.schemas import Schema, structural_schema
from usher.api.v1alpha1.kinds import KINDS, IdentitySource, LocalIdentitySource, Manifest
from usher.api.wording import Problem, problem_of

MAX_NODES: Final = 200_000
"""More values than any manifest of 1 MiB holds; YAML aliases can multiply a small file beyond every bound."""
MAX_DEPTH: Final = 64

_OTHER_METADATA: Final = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "labels",
        "managedFields",
        "ownerReferences",
        "selfLink",
    }
)


class Origin(Enum):
    """Where a manifest comes from; on the command line a CSV document may be a file."""

    CLUSTER = "cluster"
    FILES = "files"


class ManifestError(Exception):
    """A manifest breaks the rules of its kind. `subject` is `Kind/name`, as far as it can be known."""

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{subject} {problem}".strip() for problem in problems))
        self.subject = subject
        self.problems = tuple(problems)


def is_ours(document: Mapping[str, Any]) -> bool:
    """Whether the document claims to be of our API group, of whatever version and kind."""
    return str(document.get("apiVersion", "")).partition("/")[0] == API_VERSION.partition("/")[0]


def parse_manifest(document: Mapping[str, Any], origin: Origin = Origin.CLUSTER) -> Manifest:
    """The object that the document describes; raises ManifestError with everything that is wrong.

    As at the API server, a null counts as absent. The rules are those of the CustomResourceDefinitions, except the
    ones about a change of an existing object. A status that can't be read is taken for an empty one.
    """
    plain = _Plain().value(document, 0)
    subject = _subject(plain)
    model = _model(plain, origin, subject)
    metadata = plain.get("metadata")
    if isinstance(metadata, dict):
        plain["metadata"] = {name: value for name, value in metadata.items() if name not in _OTHER_METADATA}
    try:
        return model.model_validate_json(json.dumps(plain))
    except ValidationError as error:
        raise ManifestError(subject, [problem_of(finding, _schema(model)) for finding in findings_of(error)]) from error


def findings_of(error: ValidationError) -> list[ErrorDetails]:
    """Pydantic's findings, without those that only follow from one deeper inside (a list left short by a bad item)."""
    findings = error.errors(include_url=False, include_input=False)
    places = [finding["loc"] for finding in findings]

    def follows(finding: ErrorDetails) -> bool:
        here = finding["loc"]
        return any(len(place) > len(here) and place[: len(here)] == here for place in places)

    return [finding for finding in findings if not follows(finding)]


@cache
def _schema(model: type[Manifest]) -> Schema:
    return structural_schema(model)


def _subject(plain: Mapping[str, Any]) -> str:
    metadata = plain.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    return f"{plain.get('kind', '')}/{name}"


def _model(plain: Mapping[str, Any], origin: Origin, subject: str) -> type[Manifest]:
    models = {model.names.kind: model for model in KINDS}
    kind = plain.get("kind")
    if plain.get("apiVersion") != API_VERSION:
        raise ManifestError(subject, [Problem("apiVersion", f"must be {API_VERSION}")])
    if not isinstance(kind, str) or kind not in models:
        raise ManifestError(subject, [Problem("kind", f"must be one of {', '.join(models)}")])
    if origin is Origin.FILES and models[kind] is IdentitySource:
        return LocalIdentitySource
    return models[kind]


class _Plain:
    """Copies a document into dicts and lists of JSON, without nulls, within bounds."""

    def __init__(self) -> None:
        self._nodes = 0

    def value(self, value: Any, depth: int) -> Any:
        """A copy; raises ManifestError when the document is too large."""
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise ManifestError(
                "", [Problem("", f"the manifest is too large: over {MAX_NODES} values or {MAX_DEPTH} levels")]
            )
        match value:
            case Mapping():
                items = ((_text(key), item) for key, item in value.items() if item is not None)
                return {key: self.value(item, depth + 1) for key, item in items}
            case list() | tuple():
                return [self.value(item, depth + 1) for item in value]
            case date():
                return value.isoformat()
            case str() | bool() | int() | float() | None:
                return value
            case _:
                return str(value)


def _text(key: object) -> str:
    """A key as the API server would see it: YAML's `on:` is true."""
    return json.dumps(key) if isinstance(key, bool) else str(key)
