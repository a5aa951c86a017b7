"""The few calls that the operator makes to the API server, and what can come of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import orjson
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from usher.core.errors import UsherError
from usher.kube.objects import Document, Kind, ObjectKey, finalizer_patch

FIELD_MANAGER: Final = "usher"
PAGE: Final = 500
TIMEOUT: Final = 20.0
"""Seconds that one call may take, its answer included."""
_METADATA_ONLY: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_APPLY: Final = "application/apply-patch+yaml"
_JSON_PATCH: Final = "application/json-patch+json"
_TEST_FAILED: Final = 422
"""How the API server answers a JSON patch one of whose tests does not hold."""


class ClusterError(UsherError):
    """The API server did not do what was asked; the next reconcile asks again."""


class ObjectGone(ClusterError):
    """There is no such object (404)."""


class StaleWrite(ClusterError):
    """The object changed since it was read (409)."""


class AccessDenied(ClusterError):
    """The operator's service account may not do this (403)."""


class ClusterApi(Protocol):
    """What reconciling needs of the API server. Every call raises ClusterError."""

    def list(self, kind: Kind) -> AsyncIterator[Sequence[Document]]:
        """Pages of all objects of this kind in the watched namespaces; of ConfigMaps the metadata only."""

    async def exists(self, key: ObjectKey) -> bool:
        """Asks for this one object."""

    async def apply_status(self, key: ObjectKey, version: str, status: Mapping[str, Any]) -> Document:
        """Server-side apply of the status, unless the object is another than that of `version`.

        Returns the object as it is then. Raises ObjectGone, StaleWrite.
        """

    async def set_finalizers(self, key: ObjectKey, version: str, finalizers: Sequence[str]) -> Document:
        """Replaces the finalizers of the object, unless it is another than that of `version`.

        Returns the object as it is then; without the last one, an object that is being deleted is gone. Raises
        ObjectGone, StaleWrite.
        """

    async def post_event(self, namespace: str, event: Document) -> None:
        """Creates a core Event."""

    async def remove(self, key: ObjectKey, uid: str) -> None:
        """Deletes this very object; one that is gone, or another one of its name, is left as it is."""


class KubernetesApi:
    """ClusterApi on a client of the `kubernetes` package; `namespaces` None means all of them."""

    def __init__(self, client: ApiClient, namespaces: Sequence[str] | None) -> None:
        self._client = client
        self._namespaces = namespaces

    async def list(self, kind: Kind) -> AsyncIterator[Sequence[Document]]:
        for namespace in [None] if self._namespaces is None else self._namespaces:
            token = ""
            while True:
                query = [("limit", str(PAGE)), *([("continue", token)] if token else [])]
                accept = _METADATA_ONLY if kind is Kind.CONFIG_MAP else "application/json"
                page = await self.call("GET", _collection(kind, namespace), query=query, accept=accept)
                yield page["items"] or ()  # an empty list is null in some answers
                token = page["metadata"].get("continue", "")
                if not token:
                    break

    async def exists(self, key: ObjectKey) -> bool:
        try:
            await self.call("GET", f"{_collection(key.kind, key.namespace)}/{key.name}")
        except ObjectGone:
            return False
        return True

    async def apply_status(self, key: ObjectKey, version: str, status: Mapping[str, Any]) -> Document:
        body = {
            "apiVersion": key.kind.api_version,
            "kind": key.kind.value,
            "metadata": {"namespace": key.namespace, "name": key.name, "resourceVersion": version},
            "status": status,
        }
        path = f"{_collection(key.kind, key.namespace)}/{key.name}/status"
        query = [("fieldManager", FIELD_MANAGER), ("force", "true")]
        return await self.call("PATCH", path, query=query, body=body)

    async def set_finalizers(self, key: ObjectKey, version: str, finalizers: Sequence[str]) -> Document:
        place = f"{_collection(key.kind, key.namespace)}/{key.name}"
        return await self.call("PATCH", place, body=finalizer_patch(version, finalizers))

    async def post_event(self, namespace: str, event: Document) -> None:
        await self.call("POST", f"/api/v1/namespaces/{namespace}/events", body=event)

    async def remove(self, key: ObjectKey, uid: str) -> None:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        with suppress(ObjectGone, StaleWrite):
            await self.call("DELETE", f"{_collection(key.kind, key.namespace)}/{key.name}", body=body)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Document | Sequence[Document] | None = None,
        accept: str = "application/json",
    ) -> Document:
        """One request; its answer as JSON. A patch that is a list is a JSON patch (RFC 6902), any other one is applied.

        Words of the API server are not repeated: they may quote an object.
        """
        patch = _JSON_PATCH if isinstance(body, list) else _APPLY
        headers = {"Accept": accept, "Content-Type": patch if method == "PATCH" else "application/json"}
        try:
            prepared = await self._client.param_serialize(
                method, path, query_params=list(query), header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            answer = await self._client.call_api(*prepared, _request_timeout=TIMEOUT)
            content: bytes = await answer.read()  # type: ignore[no-untyped-call]  # the package says nothing of it
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ClusterError(
                f"the API server does not answer ({type(error).__name__})", reason="ClusterUnreachable"
            ) from error
        if answer.status >= 400:
            stale = isinstance(body, list) and answer.status == _TEST_FAILED
            raise _refusal(409 if stale else answer.status, f"{method} {path}")
        return _parsed(content)


def _collection(kind: Kind, namespace: str | None) -> str:
    prefix = "/api/v1" if kind is Kind.CONFIG_MAP else f"/apis/{kind.api_version}"
    inside = "" if namespace is None else f"/namespaces/{namespace}"
    return f"{prefix}{inside}/{kind.plural}"


def _refusal(status: int, what: str) -> ClusterError:
    match status:
        case 403:
            message = f"the operator's service account may not {what}: grant it (the chart's roles do)"
            return AccessDenied(message, reason="AccessDenied")
        case 404:
            return ObjectGone(f"{what} finds nothing", reason="NotFound")
        case 409:
            return StaleWrite(f"{what} came too late: the object changed", reason="Conflict")
        case _:
            return ClusterError(f"the API server answers {what} with status {status}", reason="ClusterUnreachable")


def _parsed(content: bytes) -> Document:
    try:
        document: Document = orjson.loads(content)
    except json.JSONDecodeError as error:
        raise ClusterError("the API server's answer is no JSON", reason="ClusterUnreachable") from error
    return document


async def load_configuration(kubeconfig: Path | None) -> Configuration:
    """The connection that the kubeconfig's current context describes, or, with None, that of the Pod we run in.

    Nothing else is looked at: neither KUBECONFIG nor ~/.kube/config, which on a workstation name a cluster by surprise.
    Raises ClusterError.
    """
    configuration = Configuration()
    try:
        if kubeconfig is None:
            load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # nor of this
        else:
            await load_kube_config(  # type: ignore[no-untyped-call]  # nor of this
                str(kubeconfig), client_configuration=configuration, persist_config=False
            )
    except (ConfigException, OSError, ValueError) as error:
        where = "this is no Pod with a service account; give --kubeconfig" if kubeconfig is None else str(kubeconfig)
        raise ClusterError(f"no way to a cluster: {where}", reason="ClusterUnreachable") from error
    return configuration


@asynccontextmanager
async def open_client(configuration: Configuration) -> AsyncIterator[ApiClient]:
    """A client with connections of its own: they are never shared with those to apps."""
    client = ApiClient(configuration)
    try:
        yield client
    finally:
        await client.close()  # type: ignore[no-untyped-call]  # the package says nothing of it
