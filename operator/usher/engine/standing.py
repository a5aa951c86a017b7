"""How a connector stands with its target after a cycle: what the next one has to know of it, in whichever process."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

from usher.core.errors import LICENCES_USED_UP, ComeBackLater
from usher.core.model.escrow import Unsettled
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.standing import Standing
from usher.core.sync.quarantine import LEAST, Attempt, Failures, judge_quarantine
from usher.engine.concurrency import in_chunks
from usher.engine.job import ConnectorJob, Ports
from usher.engine.stowing import CHUNK

_LONGEST_REST: Final = 86_400.0
"""Seconds. One that is longer was promised by a clock that has gone back since."""


def refuse_to_disturb(standing: Standing, ports: Ports) -> None:
    """Raises ComeBackLater while the target asks to be left alone: it is not even asked whether it is there."""
    until = standing.rests_until
    if until is not None and 0 < (until - ports.runtime.now()).total_seconds() <= _LONGEST_REST:
        message = f"the target asked to come back at {until:%Y-%m-%dT%H:%M:%SZ}, and is not asked before"
        raise ComeBackLater(message, until=until)


async def conclude_standing(job: ConnectorJob, ports: Ports, report: CycleReport) -> CycleReport:
    """The report, with the quarantine in which the connector is now."""
    former = await ports.store.standing(job.connector)
    standing = await _judge(job, ports, former, report)
    if standing != former:
        await ports.store.save_standing(job.connector, standing)
    return replace(report, quarantine=standing.quarantine)


async def conclude_rest(job: ConnectorJob, ports: Ports, report: CycleReport) -> None:
    """Keeps a promise to come back later, and nothing else: how a few fared says nothing of the connector."""
    if report.not_before is not None:
        former = await ports.store.standing(job.connector)
        await ports.store.save_standing(job.connector, replace(former, rests_until=report.not_before))


async def _judge(job: ConnectorJob, ports: Ports, former: Standing, report: CycleReport) -> Standing:
    if report.result is CycleResult.INTERRUPTED:
        return former
    if report.not_before is not None:
        return replace(former, rests_until=report.not_before)
    failed = report.result is CycleResult.FAILED
    failures = Failures() if failed else await _count(job, ports, report)
    attempt = Attempt(report.error_reason if failed else "", failures, report.recovered)
    quarantine = judge_quarantine(former.quarantine, attempt, job.digest, ports.runtime.now())
    if failed:
        return Standing(former.spec, quarantine, credential=former.credential)
    return Standing(job.digest, quarantine, credential=report.credential)


async def _count(job: ConnectorJob, ports: Ports, report: CycleReport) -> Failures:
    """What fails, and what is well; nobody is counted where the failures are few. Licences are no illness."""
    if report.escrowed - report.given_up < LEAST:
        return Failures()
    accounts = references = well = 0
    for lane in job.lanes:
        failing = [one for one in (await ports.store.unsettled(lane.lane)).values() if one.escrow is not None]
        linked, _ = await ports.store.count_links(lane.lane)
        for some in in_chunks(failing, CHUNK):
            linked -= len(await ports.store.digests(lane.lane, [one.source_id for one in some]))
        well += linked
        duties = Counter(one.escrow.duty.of_references for one in failing if one.escrow is not None and _is_ill(one))
        references, accounts = references + duties[True], accounts + duties[False]
    return Failures(accounts, references, well)


def _is_ill(entry: Unsettled) -> bool:
    """Whether it is still tried, and fails for another reason than the licences."""
    return entry.escrow is not None and entry.escrow.due is not None and entry.reason != LICENCES_USED_UP
