"""What the command line asks of a cluster by a ProvisioningRun: it makes one, and follows it to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from kubernetes.aio.client import CustomObjectsApi

from usher.api.conditions import ConditionType, find_condition
from usher.api.names import API_VERSION
from usher.api.v1alpha1.kinds import CONNECTOR, RUN
from usher.api.v1alpha1.objects import read_status
from usher.api.v1alpha1.provisioning_runs import ProvisioningRunStatus
from usher.core.errors import scrub
from usher.kube.access import Access, VerbError
from usher.kube.verbs import Deed, speak

_POLL: Final = 0.5
_LONGEST: Final = 200
"""Characters of the connector's name that are taken into the name of the run; the server adds five."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was made. `subject` is what it is called for people."""

    name: str
    subject: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, in its own words, and its status as the cluster has it."""

    done: bool
    message: str
    status: Mapping[str, Any]


def ask(access: Access, connector: str, spec: Mapping[str, Any]) -> Asked:
    """Makes a run of this connector, which has to be there. Raises VerbError: nothing was made then."""
    return asyncio.run(_ask(access, connector, spec))


async def _ask(access: Access, connector: str, spec: Mapping[str, Any]) -> Asked:
    made: list[str] = []

    async def create(api: CustomObjectsApi, place: Mapping[str, Any], _subject: str) -> None:
        await api.get_namespaced_custom_object(**place)
        body = {
            "apiVersion": API_VERSION,
            "kind": RUN.kind,
            "metadata": {"generateName": f"{connector[:_LONGEST]}-"},
            "spec": {"connectorRef": {"name": connector}, **spec},
        }
        there = {**place, "plural": RUN.plural}
        del there["name"]
        found: Any = await api.create_namespaced_custom_object(**there, body=body)
        made.append(found["metadata"]["name"])

    subject = await speak(access, Deed("run", CONNECTOR, connector), create)
    return Asked(made[0], f"{RUN.kind}/{made[0]}{subject.partition(connector)[2]}")


def follow(access: Access, name: str, patience: float, tell: Callable[[str], None]) -> Ended:
    """Waits for the end of a run; `tell` gets each new word on what it waits for.

    Raises VerbError, `Timeout` after so many seconds: the run goes on then.
    """
    return asyncio.run(_follow(access, name, patience, tell))


async def _follow(access: Access, name: str, patience: float, tell: Callable[[str], None]) -> Ended:
    ends: list[Ended] = []
    until = monotonic() + patience

    async def watch(api: CustomObjectsApi, place: Mapping[str, Any], subject: str) -> None:
        told = ""
        while True:
            found: Any = await api.get_namespaced_custom_object(**place)
            raw = found.get("status") or {}
            ended, message = _end_of(read_status(ProvisioningRunStatus, raw), raw)
            if ended is not None:
                ends.append(ended)
                return
            if message != told:
                told = message
                tell(message)
            if monotonic() > until:
                raise VerbError(f"{subject} has not ended yet, and goes on: {message}", reason="Timeout")
            await asyncio.sleep(_POLL)

    await speak(access, Deed("follow", RUN, name), watch)
    return ends[0]


def _end_of(status: ProvisioningRunStatus, raw: Mapping[str, Any]) -> tuple[Ended | None, str]:
    failed = find_condition(status.conditions, ConditionType.FAILED)
    complete = find_condition(status.conditions, ConditionType.COMPLETE)
    if failed is not None and failed.status == "True":
        return Ended(done=False, message=f"{failed.reason}: {scrub(failed.message)}", status=raw), ""
    if complete is None:
        return None, "no operator has looked at it yet"
    message = f"{complete.reason}: {scrub(complete.message)}"
    if complete.status == "True":
        return Ended(done=True, message=message, status=raw), ""
    return None, message
