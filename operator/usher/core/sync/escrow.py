"""When a change that failed is tried again, and until when.

In the next two cycles; then six hours, twelve hours and a day after the first failure, and every day from then on, for
28 days. What takes something away is tried in every cycle, and never given up.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from usher.core.model.escrow import Duty, Escrow, Unsettled
from usher.core.model.plans import Action, Amend, PlannedChange, PlannedEdit, Refer, Replace
from usher.core.model.resources import AttributePath, Fingerprint, Json, SourceId
from usher.core.scim.paths import parse_path

AT_ONCE: Final = 2
"""So many times it is tried in the next cycle."""
FIRST_WAITS: Final = (timedelta(hours=6), timedelta(hours=12))
DAY: Final = timedelta(days=1)
GIVEN_UP_AFTER: Final = timedelta(days=28)
_ACCESS: Final = frozenset({"roles", "entitlements"})
"""What gives access at the app: to take such a value away is as urgent as a disable."""


def next_try(since: datetime, attempts: int, now: datetime) -> datetime | None:
    """From when on a change is tried again that failed first at `since` and so many times until now; None: no more."""
    if attempts <= AT_ONCE:
        return since
    waited = now - since
    if waited >= GIVEN_UP_AFTER:
        return None
    for wait in FIRST_WAITS:
        if waited < wait:
            return since + wait
    return since + (waited // DAY + 1) * DAY


def put_in_escrow(
    source_id: SourceId, former: Unsettled | None, reason: str, failed: tuple[Duty, Fingerprint], now: datetime
) -> Unsettled:
    """What is known of a resource once a change of it has failed; `failed` is what, and a digest of what was wanted.

    Somebody for whom something else is wanted than before begins anew. A change of references does not: what is left of
    it after a part was done is another wish.
    """
    duty, tried = failed
    goes_on = former is not None and former.escrow is not None and not _is_new(former.escrow, duty, tried)
    since = former.since if former is not None and goes_on else now
    attempts = (former.attempts if former is not None and goes_on else 0) + 1
    due = since if duty.always else next_try(since, attempts, now)
    return Unsettled(source_id, reason, attempts, since, Escrow(duty, due, tried))


def _is_new(former: Escrow, duty: Duty, tried: Fingerprint) -> bool:
    if former.duty.of_references or duty.of_references:
        return False
    return bool(former.tried) and bool(tried) and former.tried != tried


def duty_of(change: PlannedChange) -> Duty:
    """What it is that is owed where this change fails."""
    match change.action:
        case Action.DISABLE | Action.DELETE:
            return Duty.LEAVE
        case Action.REMOVE:
            return Duty.REMOVE
        case Action.REFER:
            return Duty.REFER
        case Action.CREATE | Action.LINK | Action.UPDATE:
            takes = any(_takes_away(path, edit, change.before.get(path)) for path, edit in change.delta.items())
            return Duty.LEAVE if takes else Duty.ACCOUNT


def _takes_away(path: AttributePath, edit: PlannedEdit, before: Json) -> bool:
    """Whether access that there was before is gone after it."""
    if parse_path(path).attribute.lower() not in _ACCESS:
        return False
    match edit:
        case Amend(remove=remove):
            return bool(remove)
        case Replace(value=list() as values) if isinstance(before, list):
            return any(one not in values for one in before)
        case Replace(value=value):
            return bool(before) and value != before
        case _:
            return False


def wish_of(change: PlannedChange) -> Fingerprint:
    """A digest of what a change is to bring about: of somebody's account as a whole, or of these references."""
    if change.action not in (Action.REFER, Action.REMOVE):
        return change.fingerprint
    texts = sorted(f"{path}={_text(edit)}" for path, edit in change.delta.items())
    return Fingerprint(blake2b("\x00".join(texts).encode("utf-8", "surrogatepass"), digest_size=16).digest())


def _text(edit: PlannedEdit) -> str:
    return repr(sorted((*edit.to, *edit.accounts))) if isinstance(edit, Refer) else repr(edit)
