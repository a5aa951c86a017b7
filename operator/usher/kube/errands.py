"""What a ProvisioningRun asks of its connector, and what came of it until the status of the run tells it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from usher.api.conditions import ConditionType, Finding
from usher.api.v1alpha1.connector_status import TargetStatus
from usher.api.v1alpha1.kinds import ProvisioningRun
from usher.api.v1alpha1.provisioning_runs import (
    BY_NAME,
    NO_CYCLES,
    UNDO,
    ProvisioningRunSpec,
    ProvisioningRunStatus,
)
from usher.assembly.scopes import entries_of
from usher.contracts.runtime import Runtime
from usher.core.errors import UsherError
from usher.core.model.reports import CycleKind, CycleReport
from usher.engine.cycle import plan_cycle, run_cycle, try_target
from usher.engine.job import ConnectorJob, Control, Ports
from usher.engine.on_demand import run_on_demand
from usher.engine.restarting import USUAL, Scope, restart_and_run
from usher.engine.undo import run_undo
from usher.kube.cache import Cache
from usher.kube.objects import Document, Kind, ObjectKey, deleted_at, uid
from usher.kube.status import Subject, read_subject

Work: TypeAlias = Callable[[ConnectorJob, Ports, Control], Awaitable[CycleReport]]
RunSubject = Subject[ProvisioningRun, ProvisioningRunStatus]


@dataclass(frozen=True, slots=True)
class Errand:
    """A run whose turn it is, of this very object."""

    key: ObjectKey
    uid: str
    spec: ProvisioningRunSpec

    @property
    def is_cycle(self) -> bool:
        """Whether it is a cycle of the connector's own, after which the next one has its time."""
        return self.spec.type not in NO_CYCLES

    @property
    def writes_besides(self) -> bool:
        """Whether it writes, and is no cycle of the connector's own."""
        return self.spec.type in (BY_NAME, UNDO)

    @property
    def needs_rest(self) -> bool:
        """Whether the connector has to be suspended: the next cycle would do again what is undone."""
        return self.spec.type == UNDO

    @property
    def tests(self) -> bool:
        """Whether it only asks both ends whether they are there; that takes no snapshot of the source."""
        return self.spec.type == "TestConnection"

    @property
    def asked(self) -> CycleKind | None:
        """The kind of cycle that it asks for, None where that follows from the state."""
        return CycleKind(self.spec.type) if self.spec.type in _KINDS else None

    @property
    def work(self) -> Work:
        """What is done with the job of the connector."""
        if self.spec.type == "Restart":
            return partial(restart_and_run, [Scope(one) for one in self.spec.restart] or USUAL)
        if self.spec.type == BY_NAME:
            return partial(run_on_demand, subjects=entries_of(self.spec.subjects))
        if self.spec.undo_cycle is not None:
            return partial(run_undo, cycle=self.spec.undo_cycle)
        return _WORK.get(self.spec.type, run_cycle)


_KINDS: Final = frozenset({CycleKind.INITIAL.value, CycleKind.FULL_COMPARISON.value})
_WORK: Final[Mapping[str, Work]] = {"Plan": plan_cycle, "TestConnection": try_target}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an errand ended. `target` is what the app says of itself, where that was asked for."""

    came: CycleReport | UsherError
    ended: datetime
    target: TargetStatus | None = None


@dataclass(slots=True)
class Errands:
    """Those that were begun, and those that have ended: both until the object says so, or is gone."""

    cache: Cache
    runtime: Runtime
    wake: Callable[[ObjectKey], None]
    _begun: dict[tuple[ObjectKey, str], datetime] = field(default_factory=dict)
    _ended: dict[tuple[ObjectKey, str], Outcome] = field(default_factory=dict)

    def waiting_for(self, connector: ObjectKey, *, suspended: bool) -> Iterator[Errand]:
        """Runs that have not ended, and that need not wait for `resume`: the oldest first."""
        waiting = [
            (str(document["metadata"].get("creationTimestamp", "")), key.name, key, document)
            for key in self.cache.referrers(connector)
            if key.kind is Kind.RUN and (document := self.cache.get(key)) is not None and self._is_open(key, document)
        ]
        for _, _, key, document in sorted(waiting, key=lambda one: one[:2]):
            errand = errand_of(key, document)
            if errand is not None and not (suspended and errand.is_cycle):
                yield errand

    def is_wanted(self, errand: Errand) -> bool:
        """Whether the object is there still, and nobody has deleted it."""
        document = self.cache.get(errand.key)
        return document is not None and uid(document) == errand.uid and deleted_at(document) is None

    def _is_open(self, key: ObjectKey, document: Document) -> bool:
        return (key, uid(document)) not in self._ended and not has_ended(document) and deleted_at(document) is None

    # --- on its way

    def begin(self, errand: Errand) -> None:
        """It runs now."""
        self._begun[errand.key, errand.uid] = self.runtime.now()
        self.wake(errand.key)

    def put_back(self, errand: Errand) -> None:
        """It was interrupted, and begins again when nothing is in its way."""
        self._begun.pop((errand.key, errand.uid), None)
        self.wake(errand.key)

    def end(self, errand: Errand, came: CycleReport | UsherError, target: TargetStatus | None) -> None:
        """It came to this; `target` is what is known of the app by now."""
        asked = errand.tests and not isinstance(came, UsherError)
        self._ended[errand.key, errand.uid] = Outcome(came, self.runtime.now(), target if asked else None)
        self.wake(errand.key)

    def begun(self, key: ObjectKey, of: str) -> datetime | None:
        """When it began, in this process."""
        return self._begun.get((key, of))

    def outcome(self, key: ObjectKey, of: str) -> Outcome | None:
        """How it ended, where its status does not say so yet."""
        return self._ended.get((key, of))

    def forget(self, key: ObjectKey) -> None:
        """The status tells it by now, or the object is gone."""
        for known in (self._begun, self._ended):
            for place in [place for place in known if place[0] == key]:
                del known[place]


def errand_of(key: ObjectKey, document: Document) -> Errand | None:
    """What the object asks for, None where that can't be read."""
    manifest = read_run(key, document).manifest
    return None if isinstance(manifest, Finding) else Errand(key, uid(document), manifest.spec)


def read_run(key: ObjectKey, document: Document) -> RunSubject:
    """The object, parsed."""
    return read_subject(key, document, ProvisioningRun, ProvisioningRunStatus)


def has_ended(document: Document) -> bool:
    """Whether its status says that it is complete, or that it failed."""
    status: Any = document.get("status")
    conditions = status.get("conditions") if isinstance(status, Mapping) else None
    return any(
        isinstance(one, Mapping) and one.get("type") in _LAST and one.get("status") == "True"
        for one in (conditions if isinstance(conditions, list) else ())
    )


_LAST: Final = (ConditionType.COMPLETE.value, ConditionType.FAILED.value)
