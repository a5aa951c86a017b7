"""What a store has to do with what it keeps for the end of a connector."""

from __future__ import annotations

from usher.contracts.store import Store
from usher.testing.store_examples import CRM, WIKI


class EndingStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_what_is_kept_for_the_end_comes_back_as_it_was_until_the_connector_is_forgotten(
        self, store: Store
    ) -> None:
        assert await store.kept_parts(CRM.connector) is None
        await store.keep_parts(CRM.connector, {"one": [1]})
        await store.keep_parts(CRM.connector, {"two": {"a": "ä"}, "three": None})
        assert await store.kept_parts(CRM.connector) == {"two": {"a": "ä"}, "three": None}
        assert await store.kept_parts(WIKI.connector) is None
        await store.forget(CRM.connector)
        assert await store.kept_parts(CRM.connector) is None
