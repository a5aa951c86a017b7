"""The faults of the simulation, and where each of them can strike."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from simulation.process import CONFIRM, COUNTED_APART, WRITE
from usher.testing.faults import Operation

_READS: Final = frozenset({Operation.DISCOVER, Operation.LIST, Operation.FIND, Operation.GET})
_CHANGES: Final = frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE})
_ALL: Final = _READS | _CHANGES
_QUERIES: Final = frozenset({Operation.LIST, Operation.FIND})
_BY_ID: Final = frozenset({Operation.GET, Operation.UPDATE, Operation.DELETE})


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail: which requests it can strike, or which boundaries of COUNTED_APART. One strikes nothing.

    `lasts`: it can also go on until the cycle is over, as an outage does.
    """

    name: str
    strikes: Collection[str]
    lasts: bool = False


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A fault that no run here can have, and why."""

    name: str
    reason: str


FAULTS: Final = (
    Fault("none", frozenset()),
    Fault("refused", _ALL, lasts=True),
    Fault("dns", _ALL),
    Fault("tls-expired", _ALL),
    Fault("reset-before", _ALL, lasts=True),
    Fault("reset-after", _ALL, lasts=True),
    Fault("timeout-before", _ALL),
    Fault("timeout-after", _ALL, lasts=True),
    Fault("slow-drip", _ALL),
    Fault("truncated-body", _ALL),
    Fault("429-seconds", _ALL),
    Fault("429-date", _ALL),
    Fault("429-absent", _ALL, lasts=True),
    Fault("500-before", _ALL),
    Fault("502-before", _ALL),
    Fault("503-before", _ALL, lasts=True),
    Fault("504-before", _ALL),
    Fault("500-after", _CHANGES),
    Fault("502-after", _CHANGES),
    Fault("503-after", _CHANGES),
    Fault("504-after", _CHANGES, lasts=True),
    Fault("503-retry-after", _ALL),
    Fault("400", _ALL),
    Fault("401", _ALL, lasts=True),
    Fault("403", _ALL),
    Fault("404-gone", _BY_ID),
    Fault("404-lie", _BY_ID),
    Fault("409-ours", frozenset({Operation.CREATE})),
    Fault("409-foreign", frozenset({Operation.CREATE})),
    Fault("409-on-update", frozenset({Operation.UPDATE})),
    Fault("412", frozenset({Operation.UPDATE, Operation.DELETE})),
    Fault("html-200-before", _ALL),
    Fault("html-200-after", _CHANGES),
    Fault("bad-json-before", _ALL),
    Fault("bad-json-after", _CHANGES),
    Fault("wrong-total", _QUERIES),
    Fault("overlapping-page", frozenset({Operation.LIST})),
    Fault("missing-page", frozenset({Operation.LIST})),
    Fault("empty-list", _QUERIES),
    Fault("ignored-filter", frozenset({Operation.FIND})),
    Fault("ignored-change", frozenset({Operation.UPDATE})),
    Fault("kill-before", _ALL),
    Fault("kill-after", _ALL),
    Fault("kill-before-write", frozenset({WRITE})),
    Fault("kill-after-write", frozenset({WRITE})),
    Fault("disk-full", frozenset({WRITE}), lasts=True),
    Fault("disk-error", frozenset({WRITE})),
    Fault("stopped-before", frozenset({CONFIRM})),
    Fault("stopped-after", _ALL),
    Fault("state-lost", _ALL),
    Fault("clock-ahead", _ALL),
    Fault("clock-behind", _ALL),
)

ELSEWHERE: Final = (
    Elsewhere("expired cursor", "lists are asked for by index: no request carries a cursor"),
    Elsewhere("bulk, partial failure", "no bulk request is ever sent"),
    Elsewhere("bulk, 413", "no bulk request is ever sent"),
    Elsewhere("out of memory", "the kernel's SIGKILL: the same as kill-before and kill-after"),
    Elsewhere("API server down", "the engine has no API server: tests/integration/operator"),
    Elsewhere("409 on status", "the engine writes no status: tests/unit/kube"),
    Elsewhere("410 on watch", "the engine watches nothing: kopf's own"),
    Elsewhere("dropped, repeated, reordered events", "the engine has no events: what it does comes from the state"),
    Elsewhere("stale list", "as above"),
    Elsewhere(
        "stopped between the question whose the state is and the request behind it",
        "nothing is done in between: no client can close that moment, only an app that knows versions",
    ),
    Elsewhere("resource deleted, spec changed, Secret rotated mid-cycle", "the engine runs on what it was given"),
)

NOT_ON: Final = {
    ("409-ours", "D"): "an app that makes an account and says that it did not, and can't be asked, can't be told apart"
    " from one that refused",
    ("409-foreign", "D"): "nobody can be adopted who can't be looked for: the person waits for somebody to decide",
    ("state-lost", "D"): "where nobody can be looked for, the state alone knows who has an account: it needs a backup",
}
"""By fault and target class, why the fault can't be borne there, by any client."""

_UNASKED: Final = "whom a query denies once, where nothing is unique, gets an account as anybody new does"
NOT_IN: Final = {("empty-list", "B", "adopt"): _UNASKED, ("empty-list", "C", "adopt"): _UNASKED}
"""By fault, target class and operation, why the fault can't be borne there, by any client."""

BY_NAME: Final = {fault.name: fault for fault in FAULTS}


def place_of(kinds: Collection[str]) -> str:
    """Where boundaries of these kinds are counted: one of COUNTED_APART, or empty for the requests."""
    return next((one for one in COUNTED_APART if one in kinds), "")
