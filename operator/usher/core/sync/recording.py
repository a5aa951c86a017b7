"""What is known after a change was confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from usher.core.model.plans import Action, Amend, PlannedChange, Refer, Replace, Stored, Withheld
from usher.core.model.resources import AttributePath, Json, Link, TargetId
from usher.core.scim.comparison import equal, lacking
from usher.core.scim.patches import element_path
from usher.core.sync.leaving import CAUSES
from usher.core.sync.planning import UNDONE, take_image
from usher.core.sync.rules import CompiledMapping

CHANGE_IGNORED: Final = "ChangeIgnored"


def link_after(mapping: CompiledMapping, change: PlannedChange, stored: Stored | None) -> Link:
    """The link to record once the target confirmed `change`; `stored` is None where no request was needed (Link).

    The image is what was there before with the edits in it, corrected by the target's own answer where it gave one: a
    target that normalises a value is then not asked again and again to take the other form.
    """
    image = _edited(mapping, change)
    if stored is not None and stored.echo is not None:
        echoed = stored.echo.attributes
        for path, read in mapping.readers:
            value = read(echoed)
            if value is not None:
                image[path] = value
    return Link(
        source_id=change.source_id,
        target_id=stored.id if stored is not None else known_id(change),
        version=stored.version if stored is not None else change.version,
        image=image,
        fingerprint=change.fingerprint,
        enabled=_is_enabled(mapping, change, image),
    )


def _is_enabled(mapping: CompiledMapping, change: PlannedChange, image: Mapping[AttributePath, Json]) -> bool:
    """Whether the account is active, as far as we gave or took that; of what is undone the account itself says so."""
    if change.action is Action.DISABLE or change.cause in CAUSES:
        return False
    return change.cause != UNDONE or mapping.disable_path is None or image.get(mapping.disable_path) is not False


def _edited(mapping: CompiledMapping, change: PlannedChange) -> dict[AttributePath, Json]:
    """The image of before with the edits in it."""
    image: dict[AttributePath, Json] = dict(change.before)
    for path, edit in change.delta.items():
        match edit:
            case Replace(value=value):
                image[path] = value
                if (element := element_path(path)) is not None and value is not None:
                    image[element] = image.get(element) or {}
            case Amend():
                image[path] = _amended(mapping, path, image.get(path), edit)
            case Withheld(seal=seal):
                image[path] = seal or None
            case Refer():
                continue  # it was made an edit with accounts before it was sent
    return image


def _amended(mapping: CompiledMapping, path: AttributePath, held: Json, edit: Amend) -> Json:
    values: list[Json] = held if isinstance(held, list) else [] if held is None else [held]
    kept = lacking(mapping.definitions.get(path), values, list(edit.remove))
    return [*kept, *edit.add]


def ignored_edits(mapping: CompiledMapping, change: PlannedChange, stored: Stored) -> tuple[AttributePath, ...]:
    """The paths at which the target's own answer still shows the value of before: it confirmed what it did not do.

    A third value is a normalised one, and none is no answer: both are believed. The disable attribute has no third
    value.
    """
    if stored.echo is None:
        return ()
    image, definitions = take_image(mapping, stored.echo), mapping.definitions
    return tuple(
        path
        for path, edit in change.delta.items()
        if isinstance(edit, Replace)
        and image.get(path) is not None
        and not equal(definitions.get(path), image.get(path), edit.value)
        and (path == mapping.disable_path or equal(definitions.get(path), image.get(path), change.before.get(path)))
    )


def known_id(change: PlannedChange) -> TargetId:
    """The id of the account that it is about. Raises ValueError where there is none."""
    if change.target_id is None:
        message = f"a {change.action} without a target id has to be confirmed by the target"
        raise ValueError(message)
    return change.target_id
