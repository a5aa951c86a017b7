"""What a connector has learnt of a target is put aside, as somebody asks: it begins again with its next cycle."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum
from typing import Final

from usher.contracts.store import Consumption
from usher.core.errors import CycleError
from usher.core.model.reports import CycleReport
from usher.engine.cycle import run_cycle
from usher.engine.job import ConnectorJob, Control, Ports


class Scope(StrEnum):
    """What is put aside, in the words of the API.

    Links: which account is whose; they are found again, beside those in force, and held until that is approved.
    Escrows: since when something fails, and how often it did. Watermark: what was worked off of the source. Quarantine:
    that the connector is in it, and since when.
    """

    LINKS = "Links"
    ESCROWS = "Escrows"
    WATERMARK = "Watermark"
    QUARANTINE = "Quarantine"


USUAL: Final = frozenset({Scope.ESCROWS, Scope.WATERMARK, Scope.QUARANTINE})
"""What is put aside where nobody says what."""


async def restart(job: ConnectorJob, ports: Ports, scopes: Collection[Scope]) -> None:
    """Nothing is lost by it: whoever has something undone is looked at, and an open intent stays open.

    Raises CycleError `InvalidSpec` for Links where the target can't be asked who is there.
    """
    if Scope.LINKS in scopes and any(lane.settle is None for lane in job.lanes):
        message = "the links can't be found again: the app can't be asked who is there (quirks.lookup: None)"
        raise CycleError(message, reason="InvalidSpec")
    store = ports.store
    for lane in job.lanes:
        former = await store.consumption(lane.lane_in_force)
        if former is not None and not former.retired:
            await store.save_consumption(lane.lane_in_force, _put_aside(former, scopes))
        if Scope.ESCROWS in scopes:
            await store.renew_escrows(lane.lane_in_force, ports.runtime.now())
    if Scope.QUARANTINE in scopes:
        standing = await store.standing(job.connector)
        await store.save_standing(job.connector, replace(standing, quarantine=None))


def _put_aside(former: Consumption, scopes: Collection[Scope]) -> Consumption:
    return replace(
        former,
        version=None if Scope.WATERMARK in scopes else former.version,
        restarted=former.restarted or Scope.LINKS in scopes,
    )


async def restart_and_run(scopes: Collection[Scope], job: ConnectorJob, ports: Ports, control: Control) -> CycleReport:
    """The restart, and the cycle with which the connector begins again. Raises CycleError."""
    await restart(job, ports, scopes)
    return await run_cycle(job, ports, control)
