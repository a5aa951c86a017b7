"""What a store has to do with assignments: what the entries of a scope meant, and who was in."""

from __future__ import annotations

from typing import Final

from usher.contracts.assignments import Resolution
from usher.contracts.store import Store
from usher.core.model.resources import Lane, ResourceType, SourceId
from usher.core.sync.assignments import Unresolved
from usher.testing.store_examples import CRM, NOON, WIKI, make_consumption

_A, _B, _C = SourceId("a"), SourceId("b"), SourceId("c")
_GROUPS: Final = Lane(CRM.connector, ResourceType.GROUP)
_RESOLUTION: Final = Resolution("digest", 3, None, {"entry": _A}, (Unresolved("spec.scope.users[1]", "nobody"),))


class AssignmentStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_what_entries_meant_comes_back_as_it_was(self, store: Store) -> None:
        assert await store.resolution(CRM.connector) is None
        await store.save_resolution(CRM.connector, _RESOLUTION)
        assert await store.resolution(CRM.connector) == _RESOLUTION
        assert await store.resolution(WIKI.connector) is None

    async def test_only_the_last_resolution_is_kept(self, store: Store) -> None:
        await store.save_resolution(CRM.connector, _RESOLUTION)
        later = Resolution("other", 4, 7, {})
        await store.save_resolution(CRM.connector, later)
        assert await store.resolution(CRM.connector) == later

    async def test_who_was_in_comes_back_with_the_roles_in_their_order(self, store: Store) -> None:
        assert await store.assigned(CRM) == {}
        await store.save_assigned(CRM, {_A: ("Viewer", "Admin"), _B: ()})
        assert await store.assigned(CRM) == {_A: ("Viewer", "Admin"), _B: ()}

    async def test_whoever_is_not_in_any_more_is_forgotten(self, store: Store) -> None:
        await store.save_assigned(CRM, {_A: ("Admin",), _B: ()})
        await store.save_assigned(CRM, {_B: ("Admin",), _C: ()})
        assert await store.assigned(CRM) == {_B: ("Admin",), _C: ()}

    async def test_lanes_have_assignments_of_their_own(self, store: Store) -> None:
        await store.save_assigned(CRM, {_A: ()})
        await store.save_assigned(_GROUPS, {_B: ()})
        await store.save_assigned(WIKI, {_C: ()})
        assert await store.assigned(CRM) == {_A: ()}
        assert await store.assigned(_GROUPS) == {_B: ()}

    async def test_without_assignments_nobody_is_remembered_in_any_lane(self, store: Store) -> None:
        for lane in (CRM, _GROUPS, WIKI):
            await store.save_assigned(lane, {_A: ()})
            await store.save_resolution(lane.connector, _RESOLUTION)
        await store.save_resolution(CRM.connector, None)
        assert await store.resolution(CRM.connector) is None
        assert [await store.assigned(lane) for lane in (CRM, _GROUPS)] == [{}, {}]
        assert await store.assigned(WIKI) == {_A: ()}

    async def test_assignments_go_with_their_connector(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.save_assigned(CRM, {_A: ()})
        await store.save_resolution(CRM.connector, _RESOLUTION)
        await store.retire(CRM.connector, NOON)
        await store.forget(CRM.connector)
        assert await store.assigned(CRM) == {}
        assert await store.resolution(CRM.connector) is None
