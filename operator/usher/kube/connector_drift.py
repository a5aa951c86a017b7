"""What full comparisons came to, as the status of a connector tells it: in figures, until the next one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from usher.api.conditions import Finding, Reason
from usher.contracts.comparisons import Comparison
from usher.core.model.resources import ResourceType
from usher.kube.objects import ObjectKey

Comparisons = Mapping[ResourceType, Comparison]
"""The last one of each lane, as far as there was one."""


def count_orphans(comparisons: Comparisons) -> int | None:
    """Accounts and groups that nobody links and nobody in scope matches, None where that is not known."""
    known = [one.found.orphans for one in comparisons.values() if one.found is not None]
    return sum(one for one in known if one is not None) if any(one is not None for one in known) else None


def find_drifted(key: ObjectKey, comparisons: Comparisons) -> Finding | None:
    """What stays as somebody else put it, because the mapping says Report."""
    reported = {
        kind: one.found.reported for kind, one in comparisons.items() if one.found is not None and one.found.reported
    }
    if not reported:
        return None
    counts = " and ".join(f"{many} {kind.lower()}{'' if many == 1 else 's'}" for kind, many in reported.items())
    message = (
        f"{counts} of the app have values that somebody else put there, where the mapping says onDrift: Report; the"
        f" provisioning log of {key} names them. They stay until the source says something new"
    )
    return Finding(Reason.REPORTED, message)


def find_lost(key: ObjectKey, lost: Iterable[bool], comparisons: Comparisons) -> Finding | None:
    """What is left of a loss of the state: accounts of people who left while nobody knew that they were linked."""
    if not any(lost):
        return None
    strays = sum(one.found.strays for one in comparisons.values() if one.found is not None)
    known = any(one.found is not None for one in comparisons.values())
    counted = f"{strays} active accounts of the app" if known else "active accounts of the app, not counted yet,"
    message = (
        f"the operator's state was lost; {counted} may be those of people who left meanwhile: the provisioning log of"
        f" {key} names them. Disable them in the app, or set spec.safety.onStateLoss: Disable"
    )
    return Finding(Reason.STATE_LOST, message)


def is_comparison_due(comparisons: Comparisons, every: timedelta, now: datetime) -> bool:
    """Whether a cycle that starts now begins with one."""
    return bool(every) and any(now - one.at >= every for one in comparisons.values())
