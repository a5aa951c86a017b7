"""The one place that reads Secrets: by name, in the namespace of who refers to them, never by a list or a watch."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Protocol

from usher.contracts.runtime import SecretRef, Secrets
from usher.core.errors import CycleError
from usher.kube.cluster import AccessDenied, ClusterError, KubernetesApi, ObjectGone

KEYS_SHOWN: Final = 10


class DataReader(Protocol):
    """Reads the data of one object."""

    async def read(self, kind: str, namespace: str, name: str) -> Mapping[str, bytes]:
        """The bytes by key. Raises ClusterError."""


class KubernetesData:
    """DataReader on the API server, for the two kinds that hold data."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api

    async def read(self, kind: str, namespace: str, name: str) -> Mapping[str, bytes]:
        plural = {"Secret": "secrets", "ConfigMap": "configmaps"}[kind]
        found = await self._api.call("GET", f"/api/v1/namespaces/{namespace}/{plural}/{name}")
        data: dict[str, Any] = found.get("data") or {}
        if kind == "Secret":
            return {key: _decoded(text) for key, text in data.items()}
        binary: dict[str, Any] = found.get("binaryData") or {}
        return {key: text.encode() for key, text in data.items()} | {
            key: _decoded(text) for key, text in binary.items()
        }


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text)
    except NoBase64 as error:
        raise ClusterError("the API server's data is no base64", reason="ClusterUnreachable") from error


@dataclass(frozen=True, slots=True)
class NamespaceSecrets:
    """Secrets and ConfigMaps of one namespace. `fields` says by (name, key) which field of the spec names them.

    Nothing is kept: a session asks once when it begins and once more when its token is refused, and has to see the new
    one then.
    """

    reader: DataReader
    namespace: str
    fields: Mapping[tuple[str, str], str]

    async def read(self, ref: SecretRef) -> bytes:
        """The bytes under the key. Raises CycleError that names the object, its namespace, and the way out."""
        field = self.fields.get((ref.name, ref.key))
        place = f"{field}: " if field else ""
        what = f"{ref.kind}/{ref.name} in namespace {self.namespace}"
        try:
            data = await self.reader.read(ref.kind, self.namespace, ref.name)
        except ObjectGone as error:
            message = f"{place}{what} does not exist: create it, or correct the reference"
            raise CycleError(message, reason=f"{ref.kind}NotFound") from error
        except AccessDenied as error:
            message = (
                f"{place}the operator may not read {what}: grant its service account get on {ref.kind.lower()}s there "
                "(RBAC; the chart's roles do)"
            )
            raise CycleError(message, reason="AccessDenied") from error
        except ClusterError as error:
            raise CycleError(f"{place}{what} can't be read: {error.message}", reason=error.reason) from error
        if ref.key not in data:
            keys = ", ".join(sorted(data)[:KEYS_SHOWN]) or "none"
            raise CycleError(f"{place}{what} has no key {ref.key}; its keys: {keys}", reason="KeyNotFound")
        return data[ref.key]


@dataclass(slots=True)
class Witness:
    """Secrets that remembers a digest of what was read, so that a later look can tell whether it was changed."""

    secrets: Secrets
    seen: dict[SecretRef, bytes] = field(default_factory=dict)

    async def read(self, ref: SecretRef) -> bytes:
        """As the secrets do."""
        value = await self.secrets.read(ref)
        self.seen[ref] = blake2b(value).digest()
        return value

    async def is_contradicted(self) -> bool:
        """Whether anything reads otherwise now. What can't be read is not known to be changed."""
        for ref, before in list(self.seen.items()):
            try:
                value = await self.secrets.read(ref)
            except CycleError:
                continue
            if blake2b(value).digest() != before:
                return True
        return False
