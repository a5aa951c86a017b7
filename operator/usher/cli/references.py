"""What objects name: other objects, keys of Secrets and ConfigMaps, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from usher.api.v1alpha1.kinds import IdentitySource, ProvisioningConnector
from usher.api.v1alpha1.references import CaRef, ConfigMapKeyRef, SecretKeyRef
from usher.api.v1alpha1.sources.csv import LocalCsvGroups, LocalCsvSource
from usher.cli.findings import Finding
from usher.cli.manifests import Manifests, Placed
from usher.cli.secrets import FILE, FileSecrets
from usher.contracts.runtime import SecretRef


def data_references(spec: BaseModel, path: str = "spec") -> Iterator[tuple[str, SecretRef]]:
    """Every key or file that the spec names, with the YAML path that names it."""
    match spec:
        case SecretKeyRef():
            yield path, SecretRef("Secret", spec.name, spec.key)
        case ConfigMapKeyRef():
            yield path, SecretRef("ConfigMap", spec.name, spec.key)
        case CaRef():
            yield path, SecretRef(spec.kind, spec.name, spec.key)
        case _:
            if isinstance(spec, LocalCsvSource | LocalCsvGroups) and spec.file is not None:
                yield f"{path}.file", SecretRef(FILE, spec.file, "")
            for name, info in type(spec).model_fields.items():
                value = getattr(spec, name)
                if isinstance(value, BaseModel):
                    yield from data_references(value, f"{path}.{info.alias or name}")


def secrets_for(manifests: Manifests, placed: Placed[ProvisioningConnector] | Placed[IdentitySource]) -> FileSecrets:
    """What this object may read."""
    return FileSecrets(manifests, placed.object.metadata.namespace, placed.file.parent)


def missing_data(
    manifests: Manifests, placed: Placed[ProvisioningConnector] | Placed[IdentitySource]
) -> Iterator[tuple[str, Finding]]:
    """(Reason, finding) for each key and file that the object names and that can't be read."""
    secrets = secrets_for(manifests, placed)
    manifest = placed.object
    subject = f"{manifest.kind}/{manifest.metadata.name}"
    for path, ref in data_references(manifest.spec):
        problem = secrets.problem_with(ref)
        if problem is not None:
            yield problem.reason, Finding.error(problem.message, file=str(placed.file), subject=subject, path=path)


def missing_objects(manifests: Manifests, placed: Placed[ProvisioningConnector]) -> Iterator[Finding]:
    """The source and the mappings that the connector names and that are not there, or broken."""
    connector = placed.object
    spec, namespace = connector.spec, connector.metadata.namespace
    named: list[tuple[str, str, str, Mapping[str, object]]] = [
        ("spec.sourceRef", "IdentitySource", spec.source_ref.name, manifests.sources)
    ]
    named += [
        (f"spec.mappings[{index}]", "AttributeMapping", mapping.name, manifests.mappings)
        for index, mapping in enumerate(spec.mappings)
    ]
    for path, kind, name, table in named:
        key = f"{namespace}/{name}"
        if key in table:
            continue
        broken = (kind, key) in manifests.broken
        problem = (
            f"{kind}/{name} has errors"
            if broken
            else f"there is no {kind}/{name} in namespace {namespace} among the manifests: add it, or mend the name"
        )
        subject = f"ProvisioningConnector/{connector.metadata.name}"
        yield Finding.error(problem, file=str(placed.file), subject=subject, path=path)
