"""Connectors one after the other: each source is read once, and what fails for one stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Never, TypeAlias, TypeVar

from usher.assembly.ends import system_runtime
from usher.cli.approvals import Approval
from usher.cli.exits import Exit
from usher.cli.failures import cycle_failure, source_failure
from usher.cli.findings import Finding
from usher.cli.interruption import Interruption
from usher.cli.progress import shown
from usher.cli.tasks import Refusal, Task
from usher.cli.terminal import say
from usher.cli.workspace import Workspace
from usher.core.errors import CycleError, ReadShrunk, SpecError, UsherError
from usher.core.model.resources import ConnectorKey, SourceKey
from usher.core.sync.fingerprints import approval_of
from usher.engine.job import Control, Ports
from usher.engine.progress import Progress
from usher.engine.snapshot import read_source

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Work: TypeAlias = Callable[[Task, Ports, Control], Awaitable[T]]
"""What is done for one connector, once its source was read."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """What came of one connector: the value of its work, or why there is none.

    `exit` is set where there is none: FAILED, or HELD where a void read waits for an approval under the hash `void`.
    """

    key: ConnectorKey
    value: T_co | None = None
    exit: Exit = Exit.DONE
    findings: tuple[Finding, ...] = ()
    void: str = ""


class _Void(Exception):
    """The source of this connector can't be used now."""

    def __init__(self, code: Exit, finding: Finding, digest: str = "") -> None:
        super().__init__(str(finding))
        self.code = code
        self.finding = finding
        self.digest = digest


class _Session(Generic[T]):
    def __init__(self, ports: Ports, interruption: Interruption, approval: Approval, work: Work[T]) -> None:
        self._ports = ports
        self._interruption = interruption
        self._approval = approval
        self._work = work
        self._reads: dict[SourceKey, _Void | None] = {}

    async def run(self, item: Task | Refusal) -> Outcome[T]:
        """One connector. Raises nothing but CycleError of the state store."""
        if isinstance(item, Refusal):
            return _refused(item)
        key, stop = item.job.connector, self._interruption.stop
        if stop.is_set():
            return Outcome(key, exit=Exit.FAILED, findings=(_not_run(item),))
        control = Control(self._approval.word, stop, Progress())
        running = asyncio.create_task(self._run(item, control))
        async with shown(control.progress, key):
            with self._interruption.guarding(running, control.progress):
                try:
                    return await running
                except asyncio.CancelledError:
                    if not stop.is_set():
                        raise
                    return Outcome(key, exit=Exit.FAILED, findings=(_not_run(item),))

    async def _run(self, task: Task, control: Control) -> Outcome[T]:
        key = task.job.connector
        try:
            await _open_once(task)
            await self._read(task)
            return Outcome(key, await self._work(task, self._ports, control))
        except _Void as void:
            return Outcome(key, exit=void.code, findings=(void.finding,), void=void.digest)
        except SpecError as error:
            path = f"spec.target.scim.{error.path}" if error.path else ""
            subject = f"ProvisioningConnector/{task.connector.object.metadata.name}"
            finding = Finding.error(error.problem, file=str(task.connector.file), subject=subject, path=path)
            return Outcome(key, exit=Exit.FAILED, findings=(finding,))
        except UsherError as error:
            finding = cycle_failure(task, error.reason, error.message)
            return Outcome(key, exit=Exit.FAILED, findings=(finding,))

    async def _read(self, task: Task) -> None:
        """Reads the source, unless another connector has had it read already. Raises _Void."""
        source = task.source_job.source
        if source not in self._reads:
            self._reads[source] = await self._read_source(task)
        void = self._reads[source]
        if void is not None:
            raise void

    async def _read_source(self, task: Task) -> _Void | None:
        before = await self._words(task)
        try:
            await read_source(task.source_job, self._ports, self._approval.word)
        except ReadShrunk as error:
            self._approval.waiting[error.digest] = f"the read of IdentitySource/{task.source.object.metadata.name}"
            return _Void(Exit.HELD, source_failure(task.source, error), error.digest)
        except UsherError as error:
            return _Void(Exit.FAILED, source_failure(task.source, error))
        self._approval.taken |= self._approval.word in await self._words(task) - before
        return None

    async def _words(self, task: Task) -> set[str]:
        """By which the reads that are believed now would be approved."""
        job = task.source_job
        found = {one: await self._ports.store.snapshot(job.source, one) for one in job.resource_types}
        return {
            approval_of(job.source, kind, snapshot.digest)
            for kind, snapshot in found.items()
            if snapshot is not None and snapshot.digest
        }


async def _open_once(task: Task) -> None:
    """Raises SpecError for an address or a CA that can't be used: a cycle would report it without its field."""
    with suppress(CycleError):  # that the cycle reports
        async with task.job.open_target():
            pass


def _refused(item: Refusal) -> Outcome[Never]:
    return Outcome(item.key, exit=Exit.FAILED, findings=item.findings)


def _not_run(task: Task) -> Finding:
    subject = f"ProvisioningConnector/{task.connector.object.metadata.name}"
    return Finding.error("interrupted before anything was written; run it again to go on", subject=subject)


async def run_connectors(
    items: Sequence[Task | Refusal], workspace: Workspace, approval: Approval, work: Work[T]
) -> list[Outcome[T]]:
    """All of them in turn, under the signals that stop them. Raises CycleError where the state can't be used.

    The state file is made only where there is something to run.
    """
    if all(isinstance(item, Refusal) for item in items):
        return [_refused(item) for item in items if isinstance(item, Refusal)]
    interruption = Interruption()
    async with workspace.open_state() as store:
        session = _Session(Ports(store, system_runtime()), interruption, approval, work)
        with interruption.listening():
            outcomes = [await session.run(item) for item in items]
    if interruption.stop.is_set():
        say("stopped; the state is kept")
    return outcomes
