"""Drift: what somebody else changed at an account that is linked, found by a full comparison.

An account is held against what the mapping wants of it now, never against a copy of its former self: what no line
keeps up belongs to the target, and is no drift. Somebody for whom a change is due anyway has not drifted; whatever was
seen of the account is the image on which that change is planned.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from usher.core.model.plans import Desired
from usher.core.model.resources import AttributePath, Fingerprint, Holding, Json, Link, TargetId, TargetResource
from usher.core.sync.leaving import Writes
from usher.core.sync.planning import make_delta, take_image
from usher.core.sync.rules import CompiledMapping

DRIFTED: Final = "Drifted"
"""Why somebody is looked at again whose account was changed by somebody else."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What a look at one account found. `reverted` are the paths that shall be put back, `reported` those that stay.

    `link` is what the state has to know of the account from now on, None where it knows that already.
    """

    link: Link | None = None
    reverted: tuple[AttributePath, ...] = ()
    reported: tuple[AttributePath, ...] = ()


def find_drift(mapping: CompiledMapping, desired: Desired | None, link: Link, found: TargetResource) -> Drift:
    """Holds a linked account, as it was just read, against what is wanted for its person (None: it can't be told).

    A path whose drift is tolerated keeps its former value in the image: it is not put back beside another change
    either, and it is written when the source says something new. An account that was disabled and is active again is
    as one that was never disabled: its person's leaving is due again, and counts against the budgets.
    """
    kept = mapping.withheld | mapping.tolerated
    now = {**take_image(mapping, found), **{path: link.image[path] for path in mapping.withheld if path in link.image}}
    image = {path: link.image[path] if path in kept and path in link.image else value for path, value in now.items()}
    delta = _drifted_paths(mapping, desired, link, now)
    reverted = tuple(path for path in delta if path not in mapping.tolerated)
    reported = tuple(path for path in delta if path in mapping.reported)
    if reverted:
        enabled = link.enabled or mapping.disable_path in reverted
        unknown = Fingerprint(b"")
        seen = replace(link, image=image, version=found.version, fingerprint=unknown, enabled=enabled)
    else:
        seen = replace(link, image=image, version=found.version)
    return Drift(None if seen == link else seen, reverted, reported)


def _drifted_paths(
    mapping: CompiledMapping, desired: Desired | None, link: Link, now: Mapping[AttributePath, Json]
) -> Collection[AttributePath]:
    """In the order in which an update would write them."""
    if desired is None or desired.active is not link.enabled or Writes.UPDATE not in mapping.writes:
        return ()
    if desired.active:
        return make_delta(mapping, desired, now) if desired.fingerprint == link.fingerprint else ()
    path = mapping.disable_path
    return (path,) if path is not None and now.get(path) is True else ()


@dataclass(frozen=True, slots=True)
class ReferenceDrift:
    """The same of references: `holding` is what they are known to be from now on, None where nothing is new."""

    holding: Holding | None = None
    reverted: tuple[AttributePath, ...] = ()
    reported: tuple[AttributePath, ...] = ()


def changed_references(former: Holding, now: Mapping[AttributePath, tuple[TargetId, ...]]) -> set[TargetId]:
    """Accounts that came into references or left them, as far as it is known what they held."""
    return {one for path, ids in now.items() if path in former.held for one in set(ids) ^ set(former.held[path])}


def find_reference_drift(
    mapping: CompiledMapping,
    former: Holding,
    now: Mapping[AttributePath, tuple[TargetId, ...]],
    ours: Collection[TargetId],
) -> ReferenceDrift:
    """Holds the accounts that references hold `now`, by path, against what they were known to hold.

    Only accounts of `ours` count, those that this connector links: whom else the target's people put into a group is
    their own business.
    """
    changed = {path: set(ids) ^ set(former.held[path]) for path, ids in now.items() if path in former.held}
    drifted = [path for path, ids in changed.items() if not ids.isdisjoint(ours)]
    held = {**former.held, **{path: ids for path, ids in now.items() if path not in mapping.tolerated}}
    moved = any(set(ids) != set(former.held.get(path, ())) for path, ids in held.items())
    return ReferenceDrift(
        holding=Holding(former.target_id, held) if moved else None,
        reverted=tuple(path for path in drifted if path not in mapping.tolerated),
        reported=tuple(path for path in drifted if path in mapping.reported),
    )
