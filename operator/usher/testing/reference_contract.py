"""What every target has to prove about its groups, and about attributes that hold other resources."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import ClassVar, Final
from uuid import uuid4

import pytest

from usher.contracts.target import Page, Projection, TargetSession
from usher.core.errors import ResourceError, ResourceGone, StaleImage, UniquenessTaken
from usher.core.model.plans import Amend, Create, Criterion, Delete, Edit, Replace, Stored, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId, TargetResource
from usher.core.scim.paths import ENTERPRISE_URN
from usher.core.scim.references import referenced
from usher.testing.app_under_test import AppUnderTest
from usher.testing.documents import read_at

USER: Final = ResourceType.USER
GROUP: Final = ResourceType.GROUP
USER_NAME: Final = AttributePath("userName")
NAME: Final = AttributePath("displayName")
MEMBERS: Final = AttributePath("members")
MANAGER: Final = AttributePath(f"{ENTERPRISE_URN}:manager")
WHOLE: Final[Projection] = frozenset({NAME, MEMBERS})


class ReferenceContract:
    """Part of `TargetContract`."""

    unique_groups: ClassVar[bool] = True
    """Whether two groups can't have one name."""
    repeats_members: ClassVar[bool] = False
    """Whether somebody who is added to a group twice is in it twice, until taken out of it once."""
    misses_members: ClassVar[bool] = True
    """Whether it is an error to take somebody out of a group who is not in it."""
    knows_members: ClassVar[bool] = True
    """Whether a member has to be somebody whom the app knows."""
    forgets_members: ClassVar[bool] = True
    """Whether a deleted account is out of its groups."""

    # --- groups ---

    async def test_a_group_is_created_empty_and_found_by_its_name(self, app: AppUnderTest, name: str) -> None:
        external = AttributePath("externalId")
        async with app.open() as session:
            made = await session.create(Create(GROUP, {NAME: name, external: f"x-{name}"}))
            hits = await session.find(GROUP, (Criterion(NAME, name),), frozenset({NAME, external}))
            assert not await session.find(GROUP, (Criterion(NAME, f"{name}-other"),), frozenset({NAME}))
        assert [(hit.id, read_at(hit.attributes, external)) for hit in hits] == [(made.id, f"x-{name}")]
        assert await _members(app, made) == []

    async def test_users_and_groups_are_apart(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            group, user = await _group(session, name), await _account(session, name)
            groups, users = await _listed(session, GROUP, WHOLE), await _listed(session, USER, WHOLE)
        assert group.id in groups
        assert group.id not in users
        assert user in users
        assert user not in groups

    async def test_a_group_is_renamed(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await _group(session, name, [await _account(session, name)])
            delta: Mapping[AttributePath, Edit] = {NAME: Replace(f"{name}-new")}
            stored = await session.update(Update(GROUP, made.id, delta, {NAME: name}, made.version))
            hits = await session.find(GROUP, (Criterion(NAME, f"{name}-new"),), frozenset({NAME}))
        assert [hit.id for hit in hits] == [stored.id]
        assert len(await _members(app, stored)) == 1

    async def test_a_taken_name_is_refused_by_create_and_update(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made, other = await _group(session, name), await _group(session, f"{name}-other")
            if not self.unique_groups:
                assert (await _group(session, name)).id != made.id
                return
            with pytest.raises(UniquenessTaken):
                await _group(session, name)
            with pytest.raises(UniquenessTaken):
                await session.update(Update(GROUP, other.id, {NAME: Replace(name)}, {NAME: f"{name}-other"}, None))

    async def test_a_deleted_group_is_gone_and_its_members_are_not(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ada = await _account(session, name)
            made = await _group(session, name, [ada])
            await session.delete(Delete(GROUP, made.id))
            assert await session.get(GROUP, made.id, WHOLE) is None
            assert not await session.find(GROUP, (Criterion(NAME, name),), frozenset({NAME}))
        assert await app.group(made.id) is None
        assert await app.document(ada) is not None

    async def test_an_update_of_a_group_that_is_gone_says_so(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ada, made = await _account(session, name), await _group(session, name)
            await session.delete(Delete(GROUP, made.id))
            with pytest.raises(ResourceGone):
                await _amend(session, made, add=[ada])

    # --- members ---

    async def test_members_come_and_go_and_the_others_stay(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ada, bob, cy = [await _account(session, f"{name}-{n}") for n in range(3)]
            made = await _group(session, name, [ada])
            await _amend(session, made, add=[bob, cy])
            assert await _members(app, made) == sorted([ada, bob, cy])
            await _amend(session, made, remove=[ada])
            assert await _members(app, made) == sorted([bob, cy])
            await _amend(session, made, add=[ada], remove=[bob, cy])
        assert await _members(app, made) == [ada]

    async def test_the_last_member_goes_and_another_comes(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ada, bob = [await _account(session, f"{name}-{n}") for n in range(2)]
            made = await _group(session, name, [ada])
            await _amend(session, made, remove=[ada])
            assert await _members(app, made) == []
            await _amend(session, made, add=[bob])
        assert await _members(app, made) == [bob]

    async def test_who_is_a_member_already_is_one_once(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ada, bob = [await _account(session, f"{name}-{n}") for n in range(2)]
            made = await _group(session, name, [ada])
            await _amend(session, made, add=[ada])
            await _amend(session, made, add=[ada, bob])
            held = await _members(app, made)
            assert sorted(set(held)) == sorted([ada, bob])
            assert (len(held) == 2) is not self.repeats_members
            await _amend(session, made, remove=[ada])
        assert await _members(app, made) == [bob]

    async def test_who_is_no_member_can_not_be_taken_out(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ada, bob = [await _account(session, f"{name}-{n}") for n in range(2)]
            made = await _group(session, name, [ada])
            with pytest.raises(StaleImage) if self.misses_members else nullcontext():
                await _amend(session, made, remove=[bob])
        assert await _members(app, made) == [ada]

    async def test_one_request_takes_as_many_members_as_the_session_says(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ids = [await _account(session, f"{name}-{n}") for n in range(session.capabilities.members_a_request)]
            made = await _group(session, name)
            await _amend(session, made, add=ids)
            assert await _members(app, made) == sorted(ids)
            await _amend(session, made, remove=ids)
        assert await _members(app, made) == []

    async def test_a_group_is_a_member_of_a_group(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            inner, outer = [await _group(session, f"{name}-{n}") for n in range(2)]
            await _amend(session, outer, add=[inner.id])
            assert await _members(app, outer) == [inner.id]
            await _amend(session, outer, remove=[inner.id])
        assert await _members(app, outer) == []

    async def test_a_member_has_to_be_somebody(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ada, made = await _account(session, name), await _group(session, name)
            with pytest.raises(ResourceError) if self.knows_members else nullcontext():
                await _amend(session, made, add=[ada, TargetId(uuid4().hex)])
        assert (ada in await _members(app, made)) is not self.knows_members

    async def test_whoever_is_deleted_is_no_member_any_more(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            ada, bob = [await _account(session, f"{name}-{n}") for n in range(2)]
            made = await _group(session, name, [ada, bob])
            await session.delete(Delete(USER, ada))
        assert await _members(app, made) == ([bob] if self.forgets_members else sorted([ada, bob]))

    async def test_members_are_read_where_somebody_wants_them_and_never_else(
        self, app: AppUnderTest, name: str
    ) -> None:
        async with app.open() as session:
            ada = await _account(session, name)
            made = await _group(session, name, [ada])
            for wanted in (WHOLE, frozenset({NAME})):
                read = await session.get(GROUP, made.id, wanted)
                found = await session.find(GROUP, (Criterion(NAME, name),), wanted)
                listed = (await _listed(session, GROUP, wanted))[made.id]
                ids = [None if one is None else referenced(MEMBERS, one.attributes) for one in (read, *found, listed)]
                assert ids == [(ada,) if MEMBERS in wanted else ()] * 3

    # --- managers ---

    async def test_a_manager_is_given_changed_and_taken_away(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            eve, fay = [await _account(session, f"{name}-{n}") for n in range(2)]
            held: Json = {"value": eve, "$ref": f"../Users/{eve}"}
            stored = await session.create(Create(USER, {USER_NAME: name, MANAGER: held}))
            assert await _manager(session, stored) == (eve,)
            for manager in (fay, None, eve, None):
                value: Json = None if manager is None else {"value": manager}
                change = Update(USER, stored.id, {MANAGER: Replace(value)}, {MANAGER: held}, stored.version)
                stored = await session.update(change)
                assert await _manager(session, stored) == (() if manager is None else (manager,))
                held = value
                assert manager == eve or eve not in json.dumps(await app.document(stored.id))

    async def test_a_manager_takes_the_place_of_one_of_whom_nobody_knew(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            eve, fay = [await _account(session, f"{name}-{n}") for n in range(2)]
            stored = await session.create(Create(USER, {USER_NAME: name, MANAGER: {"value": eve}}))
            await session.update(Update(USER, stored.id, {MANAGER: Replace({"value": fay})}, {MANAGER: None}, None))
            assert await _manager(session, stored) == (fay,)


async def _account(session: TargetSession, name: str) -> TargetId:
    return (await session.create(Create(USER, {USER_NAME: f"{name}-account"}))).id


async def _group(session: TargetSession, name: str, ids: Sequence[TargetId] = ()) -> Stored:
    made = await session.create(Create(GROUP, {NAME: name}))
    return await _amend(session, made, add=ids) if ids else made


async def _amend(
    session: TargetSession, group: Stored, add: Sequence[TargetId] = (), remove: Sequence[TargetId] = ()
) -> Stored:
    edit = Amend(tuple({"value": one} for one in add), tuple({"value": one} for one in remove))
    return await session.update(Update(GROUP, group.id, {MEMBERS: edit}, {}, None))


async def _members(app: AppUnderTest, group: Stored) -> list[str]:
    """As the app itself holds them, each as often as it does."""
    document = await app.group(group.id)
    assert document is not None
    held = read_at(document, MEMBERS)
    return sorted(str(one["value"]) for one in held if isinstance(one, dict)) if isinstance(held, list) else []


async def _manager(session: TargetSession, account: Stored) -> tuple[str, ...]:
    found = await session.get(USER, account.id, frozenset({MANAGER}))
    assert found is not None
    return referenced(MANAGER, found.attributes)


async def _listed(
    session: TargetSession, resource_type: ResourceType, wanted: Projection
) -> Mapping[TargetId, TargetResource]:
    pages = [item async for item in session.list(resource_type, wanted) if isinstance(item, Page)]
    return {resource.id: resource for page in pages for resource in page.resources}
