"""Every check that needs neither a cluster nor an app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from usher.api.v1alpha1.kinds import AttributeMapping, IdentitySource, ProvisioningConnector
from usher.assembly.ends import Ends, SpecErrors, surroundings_of, system_runtime
from usher.assembly.mappings import compile_mapping
from usher.assembly.sources import assemble_source
from usher.cli.ends import address_findings, source_address_findings, token_findings
from usher.cli.failures import source_failure
from usher.cli.findings import Finding, finding_at
from usher.cli.manifests import Manifests, Placed
from usher.cli.references import missing_data, missing_objects, secrets_for
from usher.cli.tasks import Task, assemble, file_of, located
from usher.contracts.source import ReadComplete
from usher.core.errors import CycleError, SpecError, UsherError
from usher.core.model.resources import ResourceType, SourceKey
from usher.core.scim.discovery import Discovery
from usher.core.sync.doubts import find_idle_deletions
from usher.core.sync.linting import find_unknown_attributes, lint
from usher.engine.job import SourceJob
from usher.transport.addresses import cli_policy


@dataclass(slots=True)
class Checks:
    """Checks the manifests. `attributes` are those of the sources whose document could be read, by type.

    `target` is what the app says of itself, as far as that is known.
    """

    manifests: Manifests
    target: Discovery = field(default_factory=Discovery)
    findings: list[Finding] = field(default_factory=list)
    attributes: dict[str, Mapping[ResourceType, tuple[str, ...]]] = field(default_factory=dict)

    async def run(self) -> list[Finding]:
        """All findings, errors and warnings, in the order of the checks."""
        self.findings.extend(self.manifests.findings)
        for mapping in self.manifests.mappings.values():
            self._check_mapping(mapping)
        for source in self.manifests.sources.values():
            await self._check_source(source)
        for connector in self.manifests.connectors.values():
            await self._check_connector(connector)
        return self.findings

    def _check_mapping(self, mapping: Placed[AttributeMapping]) -> None:
        metadata = mapping.object.metadata
        try:
            compiled = compile_mapping(metadata.name, mapping.object.spec, surroundings_of(system_runtime()))
        except SpecErrors as errors:
            self.findings.extend(located(self.manifests, metadata.namespace, errors))
        else:
            self.findings.extend(finding_at(flaw, str(mapping.file)) for flaw in lint(compiled, self.target))

    async def _check_source(self, source: Placed[IdentitySource]) -> None:
        missing = list(self._missing(source))
        self.findings.extend(missing)
        self.findings.extend(source_address_findings(source))
        key, secrets = source.object.key, secrets_for(self.manifests, source)
        ends = Ends(secrets, system_runtime(), cli_policy())
        try:
            job = assemble_source(SourceKey(key), source.object.spec, ends)
            if not missing and source.object.spec.csv is not None:  # a document is here, a directory is an end
                self.attributes[key] = await _read_attributes(job)
        except SpecErrors as errors:
            self.findings.extend(located(self.manifests, source.object.metadata.namespace, errors))
        except UsherError as error:
            self.findings.append(source_failure(source, error))

    async def _check_connector(self, connector: Placed[ProvisioningConnector]) -> None:
        self.findings.extend(self._missing(connector))
        self.findings.extend(await token_findings(self.manifests, connector))
        self.findings.extend(address_findings(connector))
        absent = list(missing_objects(self.manifests, connector))
        self.findings.extend(absent)
        if absent:
            return
        namespace = connector.object.metadata.namespace
        source = self.manifests.sources[f"{namespace}/{connector.object.spec.source_ref.name}"]
        try:
            task = assemble(self.manifests, connector, source, system_runtime())
        except SpecErrors as errors:
            self.findings.extend(located(self.manifests, namespace, errors))
            return
        self.findings.extend(self._unknown_attributes(task))
        self.findings.extend(_idle_deletions(task))
        await self._check_target(task)

    async def _check_target(self, task: Task) -> None:
        """Opens the way to the app, which looks at the address and the CA, and sends nothing."""
        try:
            async with task.job.open_target():
                pass
        except SpecError as error:
            subject = f"ProvisioningConnector/{task.connector.object.metadata.name}"
            path = f"spec.target.scim.{error.path}"
            finding = Finding.error(error.problem, file=str(task.connector.file), subject=subject, path=path)
            self.findings.append(finding)
        except CycleError:
            return  # a CA that is missing: the check of the references has told it

    def _missing(self, placed: Placed[IdentitySource] | Placed[ProvisioningConnector]) -> Iterator[Finding]:
        """A whole object that is missing may be in the cluster; a key or a file that is missing is a mistake."""
        for reason, finding in missing_data(self.manifests, placed):
            if reason in ("SecretNotFound", "ConfigMapNotFound") and "has errors" not in finding.message:
                yield Finding.warning(finding.message, file=finding.file, subject=finding.subject, path=finding.path)
            else:
                yield finding

    def _unknown_attributes(self, task: Task) -> Iterator[Finding]:
        known = self.attributes.get(task.source.object.key, {})
        source = f"IdentitySource/{task.source.object.metadata.name}"
        for lane in task.job.lanes:
            if lane.resource_type not in known:
                continue
            for flaw in find_unknown_attributes(lane.requires, lane.given(known[lane.resource_type]), source):
                subject = flaw.place.partition(" ")[0]
                yield finding_at(flaw, file_of(self.manifests, task.connector.object.metadata.namespace, subject))


def _idle_deletions(task: Task) -> Iterator[Finding]:
    name, lanes = f"ProvisioningConnector/{task.connector.object.metadata.name}", task.job.lanes
    for flaw in find_idle_deletions(name, lanes[0].deprovisioning, [lane.mapping for lane in lanes]):
        yield finding_at(flaw, str(task.connector.file))


async def _read_attributes(job: SourceJob) -> dict[ResourceType, tuple[str, ...]]:
    """Reads the whole source. Raises what its read raises: a ragged row is a mistake like any other."""
    attributes: dict[ResourceType, tuple[str, ...]] = {}
    async with job.open_source() as reader:
        for resource_type in job.resource_types:
            async for item in reader.fetch(resource_type, None):
                if isinstance(item, ReadComplete):
                    attributes[resource_type] = item.attributes
    return attributes
