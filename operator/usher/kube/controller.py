"""The control loop: a queue of keys, workers that reconcile them, a schedule, and a census of what is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from usher.answers.explaining import Explained
from usher.api.conditions import Finding
from usher.core.errors import CycleError, UsherError
from usher.core.model.resources import SourceKey
from usher.engine.job import Ports
from usher.kube.attempts import attempt
from usher.kube.cache import Cache
from usher.kube.cluster import ClusterApi, ClusterError, ObjectGone, StaleWrite
from usher.kube.connector_explaining import explained_of
from usher.kube.errands import Errands
from usher.kube.events import EventPoster
from usher.kube.finalizers import Finalizers
from usher.kube.log_trimming import trim_logs
from usher.kube.metrics import Metrics
from usher.kube.objects import OWN_KINDS, Document, Kind, ObjectKey, key_of
from usher.kube.observer import Observer
from usher.kube.reconcile_connector import ConnectorReconciler
from usher.kube.reconcile_mapping import MappingReconciler
from usher.kube.reconcile_run import RunReconciler
from usher.kube.reconcile_source import SourceReconciler
from usher.kube.runs import Runs
from usher.kube.schedule import Schedule
from usher.kube.secrets import DataReader
from usher.kube.services import Services
from usher.kube.status import StatusWriter
from usher.kube.workqueue import WORKERS, WorkQueue
from usher.transport.addresses import AddressPolicy
from usher.transport.ldap.pool import DirectoryPool

GRACE: Final = 20.0
"""Seconds that reads and cycles get for their requests in flight when the operator stops."""
CENSUS_EVERY: Final = 300.0
"""Seconds between two looks for objects whose deletion no event told."""
RETENTION: Final = timedelta(days=7)
"""How long what is known of a deleted connector or source is kept."""
RETRY: Final = (1.0, 5.0)
PRIME_RETRY: Final = 2.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What the controller is lent. `namespaces` are those that are watched, None for all."""

    api: ClusterApi
    reader: DataReader
    ports: Ports
    policy: AddressPolicy
    metrics: Metrics
    namespaces: Sequence[str] | None = None


class Controller:
    """Runs between `start` and `stop`; events come in by way of `observer`."""

    def __init__(self, means: Means) -> None:
        self._means = means
        runtime = means.ports.runtime
        cache, self.queue = Cache(), WorkQueue(runtime)
        self._cache, self._schedule = cache, Schedule(runtime)
        self._reads, self._cycles = Runs(self.queue.put), Runs(self.queue.put)
        self._directories = DirectoryPool()
        self.statuses = StatusWriter(means.api, cache)
        self.observer = Observer(cache, self.queue.put, runtime)
        services = Services(
            cache=cache,
            queue=self.queue,
            schedule=self._schedule,
            reads=self._reads,
            cycles=self._cycles,
            ports=means.ports,
            reader=means.reader,
            policy=means.policy,
            lend_directory=self._directories.lend,
            statuses=self.statuses,
            finalizers=Finalizers(means.api, cache),
            events=EventPoster(means.api, runtime),
            metrics=means.metrics,
        )
        self._services, self._mappings = services, MappingReconciler(services)
        self._sources = SourceReconciler(services)
        errands = Errands(cache, runtime, self.queue.put)
        self._connectors = ConnectorReconciler(services, self._mappings, self._sources, errands)
        self._runs = RunReconciler(services, means.api, self._mappings, errands)
        self._tasks: list[asyncio.Task[None]] = []
        self._primed = False

    async def start(self) -> None:
        """Takes a picture of the cluster, waiting for it as long as it takes, then begins to work."""
        await self._prime()
        self._primed = True
        for kind in OWN_KINDS:
            for key in self._cache.keys(kind):
                self.queue.put(key)
        work = [self.queue.work(self._reconcile) for _ in range(WORKERS)]
        self._spawn([*work, self._schedule.run(self.queue.put), self._take_census_for_ever()])

    def look(self, key: ObjectKey) -> Document | None:
        """The object as it was seen last. Raises CycleError while nothing was seen yet."""
        if not self._primed:
            raise CycleError("the operator is starting: ask again in a moment", reason="Starting")
        return self._cache.get(key)

    def prepare(self, key: ObjectKey, document: Document) -> Explained | Finding:
        """The connector as it is worked on, or what stands in the way."""
        return explained_of(self._services, self._mappings, key, document)

    def _spawn(self, work: Sequence[Coroutine[Any, Any, None]]) -> None:
        self._tasks.extend(asyncio.get_running_loop().create_task(one) for one in work)

    async def stop(self) -> None:
        """No cycle starts any more; those that run end after their requests in flight."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._connectors.stop_all()
        await asyncio.gather(self._reads.finish(GRACE), self._cycles.finish(GRACE))
        await self._directories.close()

    # --- reconciling

    async def _reconcile(self, key: ObjectKey) -> None:
        came = await attempt(self._dispatch(key), key)
        if not isinstance(came, UsherError):
            return
        runtime = self._means.ports.runtime
        self._means.metrics.errors.labels(came.reason).inc()
        if not isinstance(came, StaleWrite):
            fields = {"kind": key.kind.value, "object": key.path, "reason": came.reason, "error": came.message}
            logger.warning("reconcile failed", extra={"fields": fields})
        self._schedule.at(key, runtime.monotonic() + runtime.random.uniform(*RETRY))

    async def _dispatch(self, key: ObjectKey) -> None:
        match key.kind:
            case Kind.CONNECTOR:
                await self._connectors.reconcile(key)
            case Kind.SOURCE:
                await self._sources.reconcile(key)
            case Kind.MAPPING:
                await self._mappings.reconcile(key)
            case Kind.RUN:
                await self._runs.reconcile(key)
            case Kind.CONFIG_MAP:
                pass

    # --- what is there

    async def _prime(self) -> None:
        """Fills the cache before anything is judged: what is not there yet must not be taken for missing."""
        while True:
            try:
                for kind in Kind:
                    async for page in self._means.api.list(kind):
                        for document in page:
                            self._cache.put(kind, document)
            except ClusterError as error:
                hint = " (are our CustomResourceDefinitions installed?)" if isinstance(error, ObjectGone) else ""
                logger.warning("waiting for the cluster", extra={"fields": {"error": f"{error.message}{hint}"}})
                await self._means.ports.runtime.sleep(PRIME_RETRY)
            else:
                return

    async def _take_census_for_ever(self) -> None:
        while True:
            came = await attempt(self.take_census(), ObjectKey(Kind.CONNECTOR, "", ""))
            if isinstance(came, UsherError):
                logger.warning("census failed", extra={"fields": {"reason": came.reason, "error": came.message}})
            await self._means.ports.runtime.sleep(CENSUS_EVERY)

    async def take_census(self) -> None:
        """Finds what was deleted while nobody watched; drops state that was kept long enough. Raises ClusterError."""
        store, now = self._means.ports.store, self._means.ports.runtime.now()
        sources = {_key_of(Kind.SOURCE, path) for path in await store.sources()}
        connectors = {_key_of(Kind.CONNECTOR, path) for path in await store.active_connectors()}
        known = {key for kind in OWN_KINDS for key in self._cache.keys(kind)}
        known |= {key for key in sources | connectors if self._watches(key)}
        for kind in OWN_KINDS:
            async for page in self._means.api.list(kind):
                known.difference_update(key_of(kind, document) for document in page)
        absent = [key for key in sorted(known) if not await self._means.api.exists(key)]
        for key in absent:
            self.observer.forget(key)
        await store.note_absent([SourceKey(key.path) for key in absent if key in sources], now)
        await store.sweep(now - RETENTION)
        await trim_logs(self._means.ports, self._cache)

    def _watches(self, key: ObjectKey) -> bool:
        return self._means.namespaces is None or key.namespace in self._means.namespaces


def _key_of(kind: Kind, path: str) -> ObjectKey:
    namespace, _, name = path.partition("/")
    return ObjectKey(kind, namespace, name)
