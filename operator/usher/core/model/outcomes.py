"""What came of a planned change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from usher.core.model.plans import PlannedChange
from usher.core.model.resources import Holding, Json, Link


@dataclass(frozen=True, slots=True)
class Done:
    """The target confirmed the change; `link` is what to record, and `holding` what its references are, if any."""

    change: PlannedChange
    link: Link
    holding: Holding | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """The target confirmed that the resource is gone."""

    change: PlannedChange


@dataclass(frozen=True, slots=True)
class Partly:
    """The target confirmed a part of a change of references; the rest certainly, or perhaps, had no effect."""

    change: PlannedChange
    link: Link
    holding: Holding
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The change certainly had no effect, or was refused. `detail` may hold (scrubbed) words of the target."""

    change: PlannedChange
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """Nobody knows whether the change had its effect: the next cycle looks before it does anything."""

    change: PlannedChange
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Instead:
    """Something less than the change was done, as the change was refused: both are told."""

    done: Done
    failed: Failed


Outcome: TypeAlias = Done | Deleted | Partly | Instead | Failed | Unsure


@dataclass(frozen=True, slots=True)
class ValueChange:
    """What a change did to one attribute.

    Of one with several values, of which some came and some went, `old` are those that went and `new` those that came.
    """

    old: Json
    new: Json
