"""Objects as a reconcile sees them, and their status as it goes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from usher.api.conditions import Finding, Reason
from usher.api.manifests import ManifestError, parse_manifest
from usher.api.v1alpha1.kinds import Manifest
from usher.api.v1alpha1.objects import Status, read_status, write_status
from usher.core.errors import UsherError
from usher.kube.cache import Cache
from usher.kube.cluster import ClusterApi, ObjectGone
from usher.kube.objects import Document, ObjectKey, annotations_of, generation, resource_version, uid

M = TypeVar("M", bound=Manifest)
S = TypeVar("S", bound=Status)


@dataclass(frozen=True, slots=True)
class Subject(Generic[M, S]):
    """An object with its spec, or with what is wrong with it; `former` is its status as the API server holds it."""

    key: ObjectKey
    document: Document
    manifest: M | Finding
    former: S

    @property
    def generation(self) -> int:
        """That of the spec."""
        return generation(self.document)

    @property
    def uid(self) -> str:
        """Of this very object."""
        return uid(self.document)

    def annotation(self, name: str) -> str:
        """The annotation's text, empty where there is none."""
        return annotations_of(self.document).get(name, "")


def read_subject(key: ObjectKey, document: Document, kind: type[M], status: type[S]) -> Subject[M, S]:
    """Parses the object; a spec that an older or newer schema let in may still be none of ours."""
    former = read_status(status, document.get("status"))
    manifest: M | Finding
    try:
        parsed = parse_manifest(document)
    except ManifestError as error:
        manifest = Finding(Reason.INVALID_SPEC, str(error))
    else:
        if not isinstance(parsed, kind):
            message = f"{key} was read as a {type(parsed).__name__}"
            raise TypeError(message)
        manifest = parsed
    return Subject(key, document, manifest, former)


def finding_of(error: UsherError) -> Finding:
    """What an error says in a condition."""
    return Finding(error.reason, error.message)


class StatusWriter:
    """Writes a status where it differs from the one that is there."""

    def __init__(self, api: ClusterApi, cache: Cache) -> None:
        self._api, self._cache = api, cache
        self.writes = 0

    async def write(self, key: ObjectKey, document: Document, status: Status) -> bool:
        """Returns whether it was written: not when it is there already, nor when the object is gone.

        Raises ClusterError; StaleWrite when the object changed since `document`.
        """
        wanted: Mapping[str, object] = write_status(status)
        if wanted == document.get("status"):
            return False
        self.writes += 1
        try:
            written = await self._api.apply_status(key, resource_version(document), wanted)
        except ObjectGone:
            return False
        self._cache.put(key.kind, written)
        return True
