"""A connector as it is worked on, for questions about it; no cycle of it starts by that."""

from __future__ import annotations

import shlex

from usher.answers.explaining import Explained
from usher.api.conditions import Finding
from usher.api.v1alpha1.connector_status import ConnectorStatus
from usher.api.v1alpha1.kinds import ProvisioningConnector
from usher.assembly.connectors import assemble_connector
from usher.core.errors import UsherError
from usher.core.model.resources import ConnectorKey
from usher.kube.connector_parts import resolve
from usher.kube.objects import Document, ObjectKey
from usher.kube.reconcile_mapping import MappingReconciler
from usher.kube.services import Services
from usher.kube.status import finding_of, read_subject


def explained_of(
    services: Services, compiler: MappingReconciler, key: ObjectKey, document: Document
) -> Explained | Finding:
    """The job that a cycle would run now, or what stands in its way."""
    subject = read_subject(key, document, ProvisioningConnector, ConnectorStatus)
    parts = resolve(subject, services.cache, compiler)
    if isinstance(parts, Finding):
        return parts
    mappings = {name: one.spec for name, one in parts.mappings.items()}
    spec = parts.connector.spec
    try:
        ends = services.ends(key, document)
        job = assemble_connector(ConnectorKey(key.path), spec, mappings, parts.domain, ends)
    except UsherError as error:
        return finding_of(error)
    approve = shlex.join(["usher", "approve", "-n", key.namespace, key.name])
    return Explained(job, parts.domain, spec.suspend, approve)
