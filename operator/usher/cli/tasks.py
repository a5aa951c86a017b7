"""From manifests to jobs: which connectors can be run, and why the others can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from usher.api.v1alpha1.kinds import IdentitySource, ProvisioningConnector
from usher.assembly.connectors import assemble_connector, without_groups
from usher.assembly.ends import Ends, SpecErrors
from usher.assembly.sources import assemble_source
from usher.cli.findings import Finding, findings_of
from usher.cli.manifests import Manifests, Placed
from usher.cli.references import missing_data, missing_objects, secrets_for
from usher.cli.workspace import find_connector
from usher.contracts.runtime import Runtime
from usher.core.model.resources import ConnectorKey, ResourceType, SourceKey
from usher.engine.job import ConnectorJob, SourceJob
from usher.transport.addresses import cli_policy


@dataclass(frozen=True, slots=True)
class Task:
    """A connector that can be run, with the source that it reads."""

    connector: Placed[ProvisioningConnector]
    source: Placed[IdentitySource]
    job: ConnectorJob
    source_job: SourceJob


@dataclass(frozen=True, slots=True)
class Refusal:
    """A connector that can't be run. Without findings the manifests' own findings say why."""

    key: ConnectorKey
    findings: tuple[Finding, ...] = ()


def choose(manifests: Manifests, names: Sequence[str]) -> list[ConnectorKey]:
    """The connectors that are meant: those named, or all, in the order of the alphabet. Raises a usage error."""
    if names:
        return list(dict.fromkeys(find_connector(manifests, name) for name in names))
    return [ConnectorKey(key) for key in sorted([*manifests.connectors, *manifests.broken_connectors])]


def prepare(manifests: Manifests, key: ConnectorKey, runtime: Runtime) -> Task | Refusal:
    """The connector with its source and mappings, compiled; or everything that stands in the way."""
    connector = manifests.connectors.get(key)
    if connector is None:
        return Refusal(key)
    findings = list(missing_objects(manifests, connector))
    if findings:
        return Refusal(key, tuple(findings))
    source = _source_of(manifests, connector)
    findings = [finding for placed in (source, connector) for _, finding in missing_data(manifests, placed)]
    return _assembled(manifests, connector, runtime, findings)


def prepare_to_read(manifests: Manifests, key: ConnectorKey, runtime: Runtime) -> Task | Refusal:
    """As `prepare`, for a command that opens neither source nor target: their secrets and files may be elsewhere."""
    connector = manifests.connectors.get(key)
    if connector is None:
        return Refusal(key)
    findings = list(missing_objects(manifests, connector))
    return Refusal(key, tuple(findings)) if findings else _assembled(manifests, connector, runtime, [])


def _source_of(manifests: Manifests, connector: Placed[ProvisioningConnector]) -> Placed[IdentitySource]:
    return manifests.sources[f"{connector.object.metadata.namespace}/{connector.object.spec.source_ref.name}"]


def _assembled(
    manifests: Manifests, connector: Placed[ProvisioningConnector], runtime: Runtime, findings: list[Finding]
) -> Task | Refusal:
    try:
        task = assemble(manifests, connector, _source_of(manifests, connector), runtime)
    except SpecErrors as error:
        findings.extend(located(manifests, connector.object.metadata.namespace, error))
    else:
        if not findings:
            return task
    return Refusal(ConnectorKey(connector.object.key), tuple(findings))


def assemble(
    manifests: Manifests, connector: Placed[ProvisioningConnector], source: Placed[IdentitySource], runtime: Runtime
) -> Task:
    """The job. Raises SpecErrors, for a mapping of groups at a source that is not asked for any as well."""
    key, spec = connector.object.key, connector.object.spec
    namespace = connector.object.metadata.namespace
    mappings = {ref.name: manifests.mappings[f"{namespace}/{ref.name}"].object.spec for ref in spec.mappings}
    source_ends = Ends(secrets_for(manifests, source), runtime, cli_policy())
    ends = Ends(secrets_for(manifests, connector), runtime, cli_policy())
    domain = source.object.spec.default_domain or ""
    job = assemble_connector(ConnectorKey(key), spec, mappings, domain, ends)
    source_job = assemble_source(SourceKey(source.object.key), source.object.spec, source_ends)
    if job.lane(ResourceType.GROUP) is not None and ResourceType.GROUP not in source_job.resource_types:
        name = next(name for name, mapping in mappings.items() if mapping.resource_type == "Group")
        raise SpecErrors([without_groups(ConnectorKey(key), spec, name)])
    return Task(connector, source, job, source_job)


def located(manifests: Manifests, namespace: str, errors: SpecErrors) -> list[Finding]:
    """The errors with the files in which their objects stand."""
    return [findings_of(error, file_of(manifests, namespace, error.subject)) for error in errors.errors]


def file_of(manifests: Manifests, namespace: str, subject: str) -> str:
    """The file of `Kind/name`, empty where it is not known."""
    kind, _, name = subject.partition("/")
    key = f"{namespace}/{name}"
    match kind:
        case "AttributeMapping" if key in manifests.mappings:
            return str(manifests.mappings[key].file)
        case "IdentitySource" if key in manifests.sources:
            return str(manifests.sources[key].file)
        case "ProvisioningConnector" if key in manifests.connectors:
            return str(manifests.connectors[key].file)
    return ""
