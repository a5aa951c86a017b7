"""What every store has to prove about its key."""

from __future__ import annotations

from usher.contracts.store import Store


class KeyStoreContract:
    """Part of `StoreContract`."""

    async def test_the_first_key_stays_the_key(self, store: Store) -> None:
        assert await store.seal_key(b"first") == b"first"
        assert await store.seal_key(b"second") == b"first"
