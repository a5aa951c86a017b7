from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from usher.core.model.plans import Amend, Replace, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.patches import Operation, build_patch
from usher.core.scim.paths import ENTERPRISE_URN
from usher.core.scim.references import referenced
from usher.testing.documents import Document, apply_delta, copy_of
from usher.testing.scim_patches import apply_operations
from usher.testing.scim_schemas import GROUPS

MEMBERS = AttributePath("members")
MANAGER = AttributePath(f"{ENTERPRISE_URN}:manager")
IDS = st.text(alphabet='aAb1"\\\\[]() .\u00fc\n', min_size=1, max_size=4)
SETS = st.lists(IDS, max_size=6, unique=True)


def group_of(ids: Sequence[str]) -> Document:
    members: list[Json] = [
        {"value": one, "type": "User", "$ref": f"../Users/{number}"} for number, one in enumerate(ids)
    ]
    return {"displayName": "staff", "members": members} if members else {"displayName": "staff"}


def amended(before: Sequence[str], after: Sequence[str]) -> Update:
    add: list[Json] = [{"value": one} for one in after if one not in before]
    remove: list[Json] = [{"value": one} for one in before if one not in after]
    return Update(ResourceType.GROUP, TargetId("1"), {MEMBERS: Amend(tuple(add), tuple(remove))}, {}, None)


def patched(operations: list[Operation], document: Document) -> Document:
    return apply_operations(list[Json](operations), document, GROUPS) if operations else document


@given(before=SETS, after=SETS)
def test_the_operations_of_an_amend_take_the_members_from_before_to_after(before: list[str], after: list[str]) -> None:
    update, document = amended(before, after), group_of(before)

    operations = build_patch(update)

    assert set(referenced(MEMBERS, patched(operations, document))) == set(after)
    assert len(operations) <= len(set(before) - set(after)) + 1


@given(before=SETS, after=SETS)
def test_no_operation_names_the_whole_list_but_to_add_to_it(before: list[str], after: list[str]) -> None:
    whole = [each for each in build_patch(amended(before, after)) if each["path"] == "members"]

    assert all(each["op"] == "add" and each["value"] for each in whole)


@given(before=SETS, after=SETS)
def test_an_app_in_memory_and_one_behind_scim_end_with_the_same_members(before: list[str], after: list[str]) -> None:
    update, document = amended(before, after), group_of(before)
    held = copy_of(document)

    apply_delta(held, update.delta)

    assert referenced(MEMBERS, held) == referenced(MEMBERS, patched(build_patch(update), document))


@given(before=st.none() | IDS, after=st.none() | IDS)
def test_a_manager_goes_from_before_to_after_and_leaves_nothing_behind(before: str | None, after: str | None) -> None:
    held: Json = None if before is None else {"value": before, "$ref": f"../Users/{before}"}
    document: Document = {"userName": "a"} if held is None else {"userName": "a", ENTERPRISE_URN: {"manager": held}}
    wanted: Json = None if after is None else {"value": after}

    operations = build_patch(
        Update(ResourceType.USER, TargetId("1"), {MANAGER: Replace(wanted)}, {MANAGER: held}, None)
    )

    done = apply_operations(list[Json](operations), document) if operations else document
    assert done == ({"userName": "a"} if wanted is None else {"userName": "a", ENTERPRISE_URN: {"manager": wanted}})
