"""The retention of provisioning logs that no cycle looks after: of connectors that are suspended, failing or gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from usher.api.v1alpha1.connector_status import ConnectorStatus
from usher.api.v1alpha1.kinds import ProvisioningConnector
from usher.core.model.resources import ConnectorKey
from usher.engine.job import Ports
from usher.engine.log_retention import trim_log
from usher.kube.cache import Cache
from usher.kube.objects import Kind, ObjectKey
from usher.kube.status import read_subject

RETENTION_OF_GONE: Final = timedelta(hours=720)
"""How long the log of a connector that is gone is kept."""


async def trim_logs(ports: Ports, cache: Cache) -> None:
    """Each by its own retention. Where that can't be read, the spec being broken, nothing is dropped."""
    for connector in await ports.store.logged_connectors():
        if (retention := _retention(cache, connector)) is not None:
            await trim_log(ports, connector, retention)


def _retention(cache: Cache, connector: ConnectorKey) -> timedelta | None:
    namespace, _, name = connector.partition("/")
    key = ObjectKey(Kind.CONNECTOR, namespace, name)
    document = cache.get(key)
    if document is None:
        return RETENTION_OF_GONE
    manifest = read_subject(key, document, ProvisioningConnector, ConnectorStatus).manifest
    return manifest.spec.provisioning_log.retention if isinstance(manifest, ProvisioningConnector) else None
