"""What the command line asks of a cluster: one object read, and a word of it written, with their own kubeconfig."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

import aiohttp
from kubernetes.aio.client import ApiException, CustomObjectsApi
from kubernetes.aio.client.api_client import ApiClient

from usher.api.names import APPROVE_PLAN, APPROVE_READ, DEPROVISION, GROUP, VERSION
from usher.api.v1alpha1.kinds import CONNECTOR, SOURCE, KindNames
from usher.core.errors import scrub
from usher.kube.access import TIMEOUT, Access, VerbError, configuration_of, unreachable
from usher.kube.objects import finalizer_patch, finalizers, without_ours


class Approvable(Enum):
    """What waits for approvals."""

    PLAN = "plan"
    READ = "read"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Where a kind says what waits, and where it is told that it was approved."""

    names: KindNames
    field: str
    annotation: str


_WAITING: Final[Mapping[Approvable, _Waiting]] = {
    Approvable.PLAN: _Waiting(CONNECTOR, "plan", APPROVE_PLAN),
    Approvable.READ: _Waiting(SOURCE, "pending", APPROVE_READ),
}


def approve(access: Access, what: Approvable, name: str, digest: str) -> str:
    """Approves what waits under this hash; returns `Kind/name in namespace x`. Raises VerbError: nothing was done then.

    The hash is compared with the status first: a wrong one would be ignored by the operator without a word.
    """
    return asyncio.run(_approve(access, what, name, digest))


async def _approve(access: Access, what: Approvable, name: str, digest: str) -> str:
    waiting = _WAITING[what]

    async def write(api: CustomObjectsApi, place: Mapping[str, Any], subject: str) -> None:
        _refuse_other(await api.get_namespaced_custom_object(**place), waiting, subject, digest)
        body = {"metadata": {"annotations": {waiting.annotation: digest}}}
        await api.patch_namespaced_custom_object(**place, body=body)

    return await speak(access, Deed("approve", waiting.names, name), write)


def release(access: Access, name: str) -> str:
    """Takes our finalizer off a connector that is being deleted; its accounts stay as they are.

    Returns `Kind/name in namespace x`. Raises VerbError: nothing was done then. Of one that nobody deleted it is not
    taken off: the operator would put it on again.
    """
    return asyncio.run(_release(access, name))


async def _release(access: Access, name: str) -> str:
    async def write(api: CustomObjectsApi, place: Mapping[str, Any], subject: str) -> None:
        found: Any = await api.get_namespaced_custom_object(**place)
        metadata = found["metadata"]
        if metadata.get("deletionTimestamp") is None:
            message = f"{subject}: nobody has deleted it. Delete it first, or set spec.deletionPolicy: Orphan"
            raise VerbError(message, reason="NotDeleted")
        if DEPROVISION not in finalizers(found):
            raise VerbError(f"{subject}: it does not wait for Usher", reason="NotHeld")
        body = finalizer_patch(metadata["resourceVersion"], without_ours(found))
        await api.patch_namespaced_custom_object(**place, body=body, _content_type="application/json-patch+json")

    return await speak(access, Deed("release", CONNECTOR, name), write)


def suspend(access: Access, name: str) -> str:
    """No cycle starts any more; one that runs ends after its requests in flight. Returns and raises as `release`."""
    return asyncio.run(_patch_spec(access, Deed("suspend", CONNECTOR, name), {"suspend": True}))


def resume(access: Access, name: str) -> str:
    """Cycles start again: the field is taken away, which a manifest may set. Returns and raises as `release`."""
    return asyncio.run(_patch_spec(access, Deed("resume", CONNECTOR, name), {"suspend": None}))


async def _patch_spec(access: Access, deed: Deed, spec: Mapping[str, Any]) -> str:
    async def write(api: CustomObjectsApi, place: Mapping[str, Any], _subject: str) -> None:
        await api.patch_namespaced_custom_object(
            **place, body={"spec": spec}, _content_type="application/merge-patch+json"
        )

    return await speak(access, deed, write)


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done, in one word, with which object."""

    verb: str
    names: KindNames
    name: str


Work: TypeAlias = Callable[[CustomObjectsApi, Mapping[str, Any], str], Awaitable[None]]


async def speak(access: Access, deed: Deed, work: Work) -> str:
    """Lets `work` speak about one object, whose place it is given; returns what it is called. Raises VerbError."""
    configuration, namespace = await configuration_of(access)
    subject = f"{deed.names.kind}/{deed.name} in namespace {namespace}"
    place: dict[str, Any] = {
        "group": GROUP,
        "version": VERSION,
        "namespace": namespace,
        "plural": deed.names.plural,
        "name": deed.name,
        "_request_timeout": TIMEOUT,
    }
    try:
        async with ApiClient(configuration) as client:
            await work(CustomObjectsApi(client), place, subject)
    except ApiException as error:
        raise _refusal(error, subject, deed.verb) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise unreachable(configuration, error) from error
    return subject


def _refuse_other(found: Any, waiting: _Waiting, subject: str, digest: str) -> None:
    status = found.get("status") if isinstance(found, Mapping) else None
    held = status.get(waiting.field) if isinstance(status, Mapping) else None
    current = held.get("hash") if isinstance(held, Mapping) else None
    if current is None:
        raise VerbError(f"{subject}: nothing waits for an approval", reason="NothingHeld")
    if current != digest:
        message = f"{subject}: what waits has the hash {scrub(str(current))}, not this one. Look at it again first"
        raise VerbError(message, reason="OtherHeld")


_RIGHTS: Final = "get and patch on the object"
_TAKES: Final = {"approve": f"{_RIGHTS}, and update on its subresource approve where the chart's policy is in force"}


def _refusal(error: ApiException, subject: str, verb: str) -> VerbError:
    match error.status:
        case 401:
            return VerbError("the API server refuses the kubeconfig's credentials (401)", reason="Unauthorized")
        case 403:
            message = f"{subject}: you may not {verb} it: that takes {_TAKES.get(verb, _RIGHTS)} (403)"
            return VerbError(message, reason="Forbidden")
        case 404:
            message = f"there is no {subject}, or Usher's CustomResourceDefinitions are not installed"
            return VerbError(message, reason="NotFound")
        case 422 if verb == "release":  # the test of its patch
            return VerbError(f"{subject}: it changed in the same moment. Try again", reason="Conflict")
        case status:
            return VerbError(f"{subject}: the API server answers with status {status}", reason="ClusterUnreachable")
