from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from usher.core.model.plans import Edit, Replace, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.patches import build_patch, element_path
from usher.core.scim.paths import ENTERPRISE_URN
from usher.core.scim.values import read, write
from usher.testing.scim_patches import apply_operations

MAPPED = tuple(
    map(
        AttributePath,
        (
            "title",
            "name.givenName",
            "name.familyName",
            'emails[type eq "work"].value',
            'emails[type eq "home"].value',
            'phoneNumbers[type eq "mobile"].value',
            'addresses[type eq "work"].locality',
            'addresses[type eq "work"].country',
            f"{ENTERPRISE_URN}:department",
            f"{ENTERPRISE_URN}:manager.value",
        ),
    )
)
UNMAPPED = tuple(
    map(
        AttributePath,
        ("nickName", 'emails[type eq "other"].value', 'addresses[type eq "work"].region', f"{ENTERPRISE_URN}:division"),
    )
)
TEXTS = st.text('ab"\\ö ', min_size=1, max_size=4)
Values = Mapping[AttributePath, str | None]


def images(paths: tuple[AttributePath, ...]) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({path: st.none() | TEXTS for path in paths})


def build_document(values: Values) -> dict[str, Json]:
    document: dict[str, Json] = {"userName": "a"}
    for path, value in values.items():
        if value is not None:
            write(path, value, document)
    return document


def take_image(document: dict[str, Json]) -> dict[AttributePath, Json]:
    elements = [element for path in MAPPED if (element := element_path(path)) is not None]
    return {path: read(path, document) for path in (*MAPPED, *elements)}


@given(before=images(MAPPED), wanted=images(MAPPED), unmapped=images(UNMAPPED))
def test_the_operations_of_a_delta_take_the_document_from_before_to_after(
    before: Values, wanted: Values, unmapped: Values
) -> None:
    document = build_document({**before, **unmapped})
    delta: dict[AttributePath, Edit] = {path: Replace(wanted[path]) for path in MAPPED if wanted[path] != before[path]}
    update = Update(ResourceType.USER, TargetId("1"), delta, take_image(document), None)

    operations = build_patch(update)

    after = apply_operations(operations, document) if operations else document  # type: ignore[arg-type]  # list is invariant
    assert {path: read(path, after) for path in MAPPED} == wanted
    assert {path: read(path, after) for path in UNMAPPED} == unmapped
    assert len(operations) <= len(delta)


@given(before=images(MAPPED))
def test_a_delta_of_nothing_needs_no_operation(before: Values) -> None:
    update = Update(ResourceType.USER, TargetId("1"), {}, take_image(build_document(before)), None)

    assert build_patch(update) == []
