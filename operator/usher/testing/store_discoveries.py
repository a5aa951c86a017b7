"""What every store has to prove about what targets say of themselves."""

from __future__ import annotations

from datetime import timedelta

from usher.contracts.discoveries import StoredDiscovery
from usher.contracts.store import Store
from usher.core.model.resources import ResourceType
from usher.core.scim.discovery import BulkLimits, Discovery, Feature
from usher.core.scim.schemas import AttributeDefinition, AttributeType, Mutability
from usher.testing.store_examples import ADDRESS, NOON

TOLD = StoredDiscovery(
    Discovery(
        features=frozenset({Feature.PATCH, Feature.BULK}),
        max_results=50,
        bulk=BulkLimits(max_operations=10, max_payload_size=None),
        schemas=("urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:User"),
        attributes={
            "username": AttributeDefinition(case_exact=True, required=True, unique=True),
            "urn:example:user:badge": AttributeDefinition(AttributeType.INTEGER, mutability=Mutability.IMMUTABLE),
            "urn:example:user:places": AttributeDefinition(AttributeType.DATE_TIME, multi_valued=True),
        },
        of_groups={"displayname": AttributeDefinition(required=True, unique=True)},
        lacking=frozenset({ResourceType.GROUP}),
    ),
    NOON,
)


class DiscoveryStoreContract:
    """Part of `StoreContract`."""

    async def test_what_a_target_says_comes_back_as_it_was_saved(self, store: Store) -> None:
        await store.save_discovery(ADDRESS, TOLD)
        found = await store.discovery(ADDRESS)
        assert found == TOLD
        assert found is not None
        assert list(found.discovery.attributes) == list(TOLD.discovery.attributes)

    async def test_what_a_target_says_replaces_what_it_said_before(self, store: Store) -> None:
        await store.save_discovery(ADDRESS, TOLD)
        later = StoredDiscovery(Discovery(), NOON + timedelta(hours=1))
        await store.save_discovery(ADDRESS, later)
        assert await store.discovery(ADDRESS) == later

    async def test_each_address_has_its_own_word(self, store: Store) -> None:
        await store.save_discovery(ADDRESS, TOLD)
        assert await store.discovery(f"{ADDRESS}/v2") is None

    async def test_what_nobody_asked_for_again_is_swept(self, store: Store) -> None:
        await store.save_discovery(ADDRESS, TOLD)
        await store.sweep(NOON)
        assert await store.discovery(ADDRESS) == TOLD
        await store.sweep(NOON + timedelta(seconds=1))
        assert await store.discovery(ADDRESS) is None
