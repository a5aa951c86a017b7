"""What of a target's own words a status holds."""

from __future__ import annotations

from datetime import UTC, datetime

from usher.api.v1alpha1.connector_status import MAX_SCHEMAS, BulkStatus
from usher.api.v1alpha1.objects import write_status
from usher.contracts.discoveries import StoredDiscovery
from usher.core.scim.discovery import BulkLimits, Discovery, Feature
from usher.core.sync.guarantees import Guarantee
from usher.kube.target_status import look_up_target, show_target
from usher.testing.world import open_world

NOW = datetime(2026, 1, 1, 12, 0, 0, 999, tzinfo=UTC)


def test_a_target_that_said_nothing_shows_when_it_was_asked() -> None:
    shown = write_status(show_target(StoredDiscovery(Discovery(), NOW), Guarantee.LOOK_UP))
    assert shown == {"discovered": "2026-01-01T12:00:00Z", "types": "Rfc7643", "guarantee": "LookUp"}


def test_schemas_are_cut_to_what_has_room_in_a_status() -> None:
    urns = ("urn:example:" + "x" * 200, *(f"urn:example:{number}" for number in range(50)))
    shown = show_target(StoredDiscovery(Discovery(schemas=urns), NOW), Guarantee.LOOK_UP)
    assert shown.schemas == urns[1 : MAX_SCHEMAS + 1]


def test_features_are_in_order_and_bulk_has_its_limits() -> None:
    told = Discovery(features=frozenset(Feature), bulk=BulkLimits(max_operations=7, max_payload_size=None))
    shown = show_target(StoredDiscovery(told, NOW), Guarantee.LOOK_UP)
    assert shown.features == ("Bulk", "ChangePassword", "ETag", "Filter", "Patch", "Sort")
    assert shown.bulk == BulkStatus(max_operations=7)


async def test_a_target_that_was_never_asked_shows_nothing() -> None:
    async with open_world() as world:
        assert await look_up_target(world.store, world.job) is None


async def test_a_target_whose_schemas_call_a_matching_attribute_unique_has_a_unique_key() -> None:
    async with open_world() as world:
        world.people(["ada"])
        await world.sync()
        shown = await look_up_target(world.store, world.job)
    assert shown is not None
    assert shown.guarantee == "UniqueKey"
