"""The objects of `-f`: ours, and the ConfigMaps and Secrets beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from usher.api.manifests import ManifestError, Origin, is_ours, parse_manifest
from usher.api.v1alpha1.kinds import (
    AttributeMapping,
    IdentitySource,
    Manifest,
    ProvisioningConnector,
    ProvisioningRun,
)
from usher.cli.documents import Document, Locations, read_documents
from usher.cli.findings import Finding
from usher.cli.objects import DataObject, identity_of, is_data, read_data

T = TypeVar("T")
_NAMED: Final = 5
_USUAL: Final = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "Kustomization",
        "LimitRange",
        "Namespace",
        "NetworkPolicy",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "ServiceAccount",
    }
)
"""Kinds that people keep in one folder with ours: ignored without a word."""


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """An object and the file in which it stands."""

    file: Path
    object: T


@dataclass(slots=True)
class Manifests:
    """All objects by `namespace/name`.

    `broken` are kind and key of objects that are there and can't be used, for a reason among `findings`. `ignored`
    names objects that are neither ours nor among those that usually stand beside ours.
    """

    connectors: dict[str, Placed[ProvisioningConnector]] = field(default_factory=dict)
    sources: dict[str, Placed[IdentitySource]] = field(default_factory=dict)
    mappings: dict[str, Placed[AttributeMapping]] = field(default_factory=dict)
    data: dict[tuple[str, str], DataObject] = field(default_factory=dict)
    broken: set[tuple[str, str]] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        """One line about all that is ignored, empty where nothing is."""
        if not self.ignored:
            return ""
        more = len(self.ignored) - _NAMED
        named = ", ".join(self.ignored[:_NAMED])
        return f"ignored, as no objects of ours: {named}{f' and {more} more' if more > 0 else ''}"

    @property
    def broken_connectors(self) -> list[str]:
        """Keys of connectors that are there and can't be run."""
        return sorted(key for kind, key in self.broken if kind == "ProvisioningConnector")


def load_manifests(locations: Locations) -> Manifests:
    """Everything in these files. Raises nothing: what is wrong is a finding, what is ignored a note."""
    reading = read_documents(locations)
    manifests = Manifests(findings=reading.findings)
    places: dict[tuple[str, str], Path] = {}
    for document in reading.documents:
        _take(manifests, document, places)
    return manifests


def _take(manifests: Manifests, document: Document, places: dict[tuple[str, str], Path]) -> None:
    content, file = document.content, document.file
    kind = content.get("kind")
    if not isinstance(kind, str) or not isinstance(content.get("apiVersion"), str):
        manifests.findings.append(Finding.error("an object without apiVersion and kind", file=str(file)))
        return
    key, name = identity_of(content)
    if not is_ours(content) and not is_data(content):
        if kind not in _USUAL:
            manifests.ignored.append(f"{kind}/{name} ({file})")
        return
    identity = (kind, key)
    if key and identity in places:
        problem = f"stands here and in {places[identity]}: remove one of them"
        manifests.findings.append(Finding.error(problem, file=str(file), subject=f"{kind}/{name}"))
        _break(manifests, identity)
        return
    places[identity] = file
    findings = _take_data(manifests, document, identity) if is_data(content) else _take_ours(manifests, document)
    manifests.findings.extend(findings)
    if any(finding.is_error for finding in findings):
        _break(manifests, identity)


def _take_data(manifests: Manifests, document: Document, identity: tuple[str, str]) -> Iterable[Finding]:
    manifests.data[identity], findings = read_data(document.content, str(document.file))
    return findings


def _take_ours(manifests: Manifests, document: Document) -> Iterable[Finding]:
    try:
        _place(manifests, document.file, parse_manifest(document.content, Origin.FILES))
    except ManifestError as error:
        return [
            Finding.error(problem.message, file=str(document.file), subject=error.subject, path=problem.path)
            for problem in error.problems
        ]
    return []


def _place(manifests: Manifests, file: Path, manifest: Manifest) -> None:
    match manifest:
        case ProvisioningConnector():
            manifests.connectors[manifest.key] = Placed(file, manifest)
        case AttributeMapping():
            manifests.mappings[manifest.key] = Placed(file, manifest)
        case IdentitySource():
            manifests.sources[manifest.key] = Placed(file, manifest)
        case ProvisioningRun():
            pass  # asks something of an operator, and there is none


def _break(manifests: Manifests, identity: tuple[str, str]) -> None:
    kind, key = identity
    manifests.broken.add(identity)
    match kind:
        case "ProvisioningConnector":
            manifests.connectors.pop(key, None)
        case "AttributeMapping":
            manifests.mappings.pop(key, None)
        case "IdentitySource":
            manifests.sources.pop(key, None)
        case "ProvisioningRun":
            pass
        case _:
            manifests.data.pop(identity, None)
