"""From an event to the keys that have to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from usher.contracts.runtime import Runtime
from usher.kube.cache import Cache, Change, references
from usher.kube.objects import Document, Kind, ObjectKey, key_of


class Observer:
    """Keeps the cache, and wakes the object, who names it, the mappings of a connector and the connector of a run."""

    def __init__(self, cache: Cache, wake: Callable[[ObjectKey], None], runtime: Runtime) -> None:
        self._cache, self._wake, self._runtime = cache, wake, runtime
        self.last_event: dict[Kind, datetime] = {}

    def observe(self, kind: Kind, event: Mapping[str, Any]) -> None:
        """An event of a watch, or an object of a list (`type` None)."""
        self.last_event[kind] = self._runtime.now()
        document: Document = event["object"]
        key = key_of(kind, document)
        former = self._cache.get(key)
        if event["type"] == "DELETED":
            self.forget(key)
            return
        change = self._cache.put(kind, document)
        if change is Change.NOTHING:
            return
        if kind is not Kind.CONFIG_MAP:
            self._wake(key)
        if change is Change.MATERIAL:
            self._wake_concerned(key, former, document)

    def forget(self, key: ObjectKey) -> None:
        """The object is gone."""
        former = self._cache.get(key)
        self._cache.remove(key)
        if key.kind is not Kind.CONFIG_MAP:
            self._wake(key)
        self._wake_concerned(key, former, None)

    def _wake_concerned(self, key: ObjectKey, former: Document | None, now: Document | None) -> None:
        for other in self._cache.referrers(key):
            self._wake(other)
        told = _TOLD.get(key.kind)
        for document in (former, now):
            for named in references(key.kind, key.namespace, document or {}):
                if named.kind is told:
                    self._wake(named)


_TOLD: Final[Mapping[Kind, Kind]] = {Kind.CONNECTOR: Kind.MAPPING, Kind.RUN: Kind.CONNECTOR}
"""Objects of which kind have to know who names them."""
