"""Every error that crosses a layer, sorted by what the caller does next.

* UsherError
    * SpecError            what the user wrote can't be run: names the object, the field and the way out
    * CycleError           stop this cycle and tell: nothing that follows can succeed
        * ComeBackLater    the other end wants to be left alone, for longer than a cycle waits
    * IncompleteRead       the read is void: no conclusion may be drawn from what is absent in it
        * ReadShrunk       it looks whole, but too many are missing: somebody has to approve it
        * WatermarkExpired the source can't say what changed since then: read it whole
    * NotSent              the request had no effect: it may be sent again
        * Throttled        the same, not before `retry_after` seconds have passed
        * Overdue          it waited for too long to be sent: whether it may be has to be asked anew
    * OutcomeUnknown       the request may have had its effect: look before anything else
    * ResourceError        this one resource failed, the cycle goes on
        * ResourceGone     the target has no resource of that id any more
        * StaleImage       the resource changed since it was read (412, or a filtered path without a target)
        * UniquenessTaken  another resource holds a value that must be unique (409)

`reason` is CamelCase and becomes the reason of a condition, an event or a log row. `str(error)` is safe to show in a
condition: it never holds a secret or an attribute value. What names people goes into `detail`, which only the
provisioning log and a terminal ever show. Text that came from outside is cut and scrubbed by `scrub`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

MAX_FOREIGN_TEXT: Final = 256
LICENCES_USED_UP: Final = "LicenseLimitExceeded"
"""Of a ResourceError: the target has no licence left for one more active account."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def scrub(text: str) -> str:
    """One line of at most 256 characters without control characters: the only form in which foreign text is kept."""
    line = _CONTROL.sub(" ", text[: MAX_FOREIGN_TEXT * 4]).strip()
    return line if len(line) <= MAX_FOREIGN_TEXT else line[: MAX_FOREIGN_TEXT - 1] + "…"


class UsherError(Exception):
    """Root of the tree. `message` names no person; `detail` may, and is kept out of `str()`."""

    def __init__(self, message: str, *, reason: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.detail = detail


class SpecError(UsherError):
    """A custom resource, or a file of the command line, says something that can't be run.

    `subject` is `Kind/name`, `path` the YAML path inside it (`spec.attributes[3].expression`), both empty where
    unknown.
    """

    def __init__(self, message: str, *, subject: str = "", path: str = "", reason: str = "InvalidSpec") -> None:
        where = " ".join(part for part in (subject, path) if part)
        super().__init__(f"{where}: {message}" if where else message, reason=reason)
        self.subject = subject
        self.path = path
        self.problem = message


class CycleError(UsherError):
    """The cycle can't go on: an end is unreachable, refuses our credentials, or does not speak the protocol."""


class ComeBackLater(CycleError):
    """No request goes out before `until`: the other end said so."""

    def __init__(self, message: str, *, until: datetime, reason: str = "TooManyRequests") -> None:
        super().__init__(message, reason=reason)
        self.until = until


class IncompleteRead(UsherError):
    """A list ended before its end, repeated itself or contradicted its own total; it is no evidence of absence."""

    def __init__(self, message: str, *, reason: str = "IncompleteRead", detail: str = "") -> None:
        super().__init__(message, reason=reason, detail=detail)


class ReadShrunk(IncompleteRead):
    """Fewer resources than `minRetained` allows, or none. `digest` names exactly this content, for the approval."""

    def __init__(self, message: str, *, digest: str, count: int, kept: int, former: int) -> None:
        super().__init__(message, reason="ReadShrunk")
        self.digest = digest
        self.count = count
        self.kept = kept
        self.former = former


class WatermarkExpired(IncompleteRead):
    """The source can't tell what changed since the watermark; a whole read brings the next one."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="WatermarkExpired")


class NotSent(UsherError):
    """The request certainly had no effect at the other end."""

    def __init__(self, message: str, *, reason: str = "TargetUnreachable", detail: str = "") -> None:
        super().__init__(message, reason=reason, detail=detail)


class Throttled(NotSent):
    """The other end asked for patience. `retry_after` is in seconds, None when it did not say."""

    def __init__(self, message: str, *, retry_after: float | None, reason: str = "TooManyRequests") -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class Overdue(NotSent):
    """The permit of a write had ended before its turn came."""


class OutcomeUnknown(UsherError):
    """The request may or may not have had its effect.

    Time-out or reset after sending, 5xx, an answer that can't be read. `retry_after` is in seconds, None when the other
    end did not say when to come back.
    """

    def __init__(
        self, message: str, *, reason: str = "OutcomeUnknown", detail: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, reason=reason, detail=detail)
        self.retry_after = retry_after


class ResourceError(UsherError):
    """The other end refused this one resource, or it can't be mapped; the rest of the cycle goes on."""


class ResourceGone(ResourceError):
    """404 by id."""

    def __init__(self, message: str = "the target has no resource of this id any more") -> None:
        super().__init__(message, reason="InvalidAnchor")


class StaleImage(ResourceError):
    """The before-image no longer holds: read the resource again and plan it anew."""

    def __init__(self, message: str = "the resource changed at the target since it was read") -> None:
        super().__init__(message, reason="Conflict")


class UniquenessTaken(ResourceError):
    """409, or a target's own way to say that a unique value is taken."""

    def __init__(self, message: str = "the target says that a unique value is taken", *, detail: str = "") -> None:
        super().__init__(message, reason="EntryConflict", detail=detail)


OF_ONE_RESOURCE: Final = (ResourceError, IncompleteRead, NotSent, OutcomeUnknown)
"""What goes wrong with a look at one resource without ending the cycle."""
OF_THE_STATE: Final = frozenset({"StateLocked", "StateTaken", "StateUnreachable", "StateUnusable"})
"""Reasons that have to do with our own state, and with neither end."""
