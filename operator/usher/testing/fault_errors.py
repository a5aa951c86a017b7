"""The error that a session raises for a fault: what every target has to say for the same misfortune."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from usher.core.errors import (
    LICENCES_USED_UP,
    CycleError,
    IncompleteRead,
    NotSent,
    OutcomeUnknown,
    ResourceError,
    Throttled,
)
from usher.testing.faults import Fault, FaultKind, Operation

ResultT = TypeVar("ResultT")


def fail_before(fault: Fault) -> None:
    """Raises for a fault that strikes a write before its effect; returns for all others."""
    match fault.kind:
        case FaultKind.LOST_BEFORE:
            raise NotSent("the connection could not be opened")
        case FaultKind.THROTTLED:
            wait = fault.retry_after
            raise Throttled("the app asks for patience", retry_after=wait if isinstance(wait, float | int) else None)
        case FaultKind.REFUSED:
            raise ResourceError("the app refuses the request", reason="UnprocessableEntity", detail="no such title")
        case FaultKind.NO_LICENCE:
            raise ResourceError("the app refuses the request", reason=LICENCES_USED_UP, detail="no licence is left")
        case FaultKind.UNAUTHORIZED:
            raise CycleError("the app refuses the credentials", reason="CredentialsRejected")
        case FaultKind.UNAVAILABLE | FaultKind.HTML_200:
            raise OutcomeUnknown("the app gave no answer that can be read")
        case FaultKind.KILL_BEFORE:
            fault.kill()
        case _:
            return


def fail_after(fault: Fault) -> None:
    """Raises for a fault that strikes a write after its effect; returns for all others."""
    match fault.kind:
        case FaultKind.KILL_AFTER:
            fault.kill()
        case FaultKind.LOST_AFTER | FaultKind.UNAVAILABLE_AFTER | FaultKind.HTML_200_AFTER:
            raise OutcomeUnknown("the app gave no answer that can be read")
        case FaultKind.TRUNCATED_JSON | FaultKind.CUT_OFF:
            raise OutcomeUnknown("the app's answer breaks off")
        case _:
            return


def suffer(fault: Fault | None, effect: Callable[[], ResultT]) -> ResultT:
    """A write under this fault: its effect happens, or not, before the error is raised."""
    if fault is not None:
        fail_before(fault)
    result = effect()
    if fault is not None:
        fail_after(fault)
    return result


def fail_read(fault: Fault, operation: Operation) -> None:
    """Raises for a fault that strikes a read.

    A read has no effect: what is unknown of a write is NotSent here. A list that breaks off is void, and an answer in
    another language ends the cycle.
    """
    match fault.kind:
        case FaultKind.LOST_AFTER | FaultKind.CUT_OFF | FaultKind.UNAVAILABLE | FaultKind.UNAVAILABLE_AFTER:
            raise NotSent("the app gave no answer")
        case FaultKind.TRUNCATED_JSON if operation in {Operation.LIST, Operation.FIND}:
            raise IncompleteRead("the answer breaks off")
        case FaultKind.TRUNCATED_JSON:
            raise NotSent("the answer breaks off")
        case FaultKind.HTML_200 | FaultKind.HTML_200_AFTER:
            raise CycleError("the app does not answer in its protocol", reason="ServiceIncompatible")
        case _:
            fail_before(fault)
            fail_after(fault)
