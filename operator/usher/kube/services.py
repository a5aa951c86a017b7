"""What every reconcile is lent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from usher.assembly.ends import Ends
from usher.engine.job import Ports
from usher.kube.cache import Cache
from usher.kube.events import EventPoster
from usher.kube.finalizers import Finalizers
from usher.kube.metrics import Metrics
from usher.kube.objects import Document, ObjectKey
from usher.kube.runs import Runs
from usher.kube.schedule import Schedule
from usher.kube.secrets import DataReader, NamespaceSecrets
from usher.kube.status import StatusWriter
from usher.kube.workqueue import WorkQueue
from usher.transport.addresses import AddressPolicy
from usher.transport.ldap.pool import DirectoryLender


@dataclass(frozen=True, slots=True)
class Services:
    """One of each, shared by all reconciles of a process. Long cycles leave reads their own room."""

    cache: Cache
    queue: WorkQueue
    schedule: Schedule
    reads: Runs
    cycles: Runs
    ports: Ports
    reader: DataReader
    policy: AddressPolicy
    lend_directory: DirectoryLender
    statuses: StatusWriter
    finalizers: Finalizers
    events: EventPoster
    metrics: Metrics

    def ends(self, key: ObjectKey, document: Document) -> Ends:
        """What the job of this object may use: Secrets of its own namespace, told by the field that names them."""
        fields = dict(_references(document.get("spec"), "spec"))
        secrets = NamespaceSecrets(self.reader, key.namespace, fields)
        return Ends(secrets, self.ports.runtime, self.policy, self.lend_directory)

    def wake_referrers(self, key: ObjectKey) -> None:
        """Whoever names this object shall look at it again."""
        for other in self.cache.referrers(key):
            self.queue.put(other)


def _references(value: Any, path: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Every (name, key) in a spec, with the path of the field that holds them."""
    if not isinstance(value, Mapping):
        return
    name, key = value.get("name"), value.get("key")
    if isinstance(name, str) and isinstance(key, str):
        yield (name, key), path
    for field, inner in value.items():
        yield from _references(inner, f"{path}.{field}")
