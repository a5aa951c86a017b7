"""The time for which a target may hide from look-ups what was made a moment ago."""

from __future__ import annotations

from typing import Final

from usher.engine.bench import Bench
from usher.engine.job import Control, Job, Ports

_NAP: Final = 5.0
"""Seconds after which somebody who waits looks whether the cycle was stopped."""


async def let_settle(job: Job, ports: Ports, control: Control) -> None:
    """Returns when whatever was made before can be found, or the cycle is stopped."""
    left = 0.0 if job.settle is None else job.settle.total_seconds()
    while left > 0 and not control.stop.is_set():
        await ports.runtime.sleep(min(left, _NAP))
        left -= _NAP


async def let_unknown_settle(bench: Bench) -> None:
    """Before the first cycle that runs to its end: a state that is new may follow one that is lost.

    Whatever that one's process had just made is remembered by nobody, and no look finds it yet. A cycle that only looks
    makes nothing, and need not wait; nor has anybody to where the target hides nothing.
    """
    if not bench.cycle or not any(job.settle for job in bench.job.lanes):
        return
    for job in bench.job.lanes:
        consumption = await bench.ports.store.consumption(job.lane)
        if consumption is None or consumption.version is None:
            await let_settle(job, bench.ports, bench.control)
            return
