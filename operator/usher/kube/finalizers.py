"""The one thing that the operator writes to an object besides its status: whether its deletion waits for us."""

from __future__ import annotations

from usher.api.names import DEPROVISION
from usher.kube.cache import Cache
from usher.kube.cluster import ClusterApi, ObjectGone
from usher.kube.objects import Document, ObjectKey, finalizers, resource_version, without_ours


class Finalizers:
    """Puts our finalizer on, and takes it off; those of others stay as they are."""

    def __init__(self, api: ClusterApi, cache: Cache) -> None:
        self._api, self._cache = api, cache

    async def put_on(self, key: ObjectKey, document: Document) -> Document:
        """Returns the object as it is then. Raises ClusterError; StaleWrite when it changed since `document`."""
        return await self._set(key, document, [*finalizers(document), DEPROVISION])

    async def take_off(self, key: ObjectKey, document: Document) -> Document:
        """As `put_on`; an object that is gone already is fine."""
        try:
            return await self._set(key, document, without_ours(document))
        except ObjectGone:
            return document

    async def _set(self, key: ObjectKey, document: Document, wanted: list[str]) -> Document:
        written = await self._api.set_finalizers(key, resource_version(document), wanted)
        self._cache.put(key.kind, written)
        return self._cache.get(key) or written
