"""What a store has to do with how connectors stand."""

from __future__ import annotations

from datetime import timedelta

from usher.contracts.store import Store
from usher.core.model.standing import Credential, Quarantine, Standing
from usher.testing.store_examples import CRM, NOON, WIKI


class StandingStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_a_standing_comes_back_as_it_was_until_the_connector_is_forgotten(self, store: Store) -> None:
        later = NOON + timedelta(microseconds=1)
        told = Standing(rests_until=later, credential=Credential(later, NOON))
        quarantined = Standing("digest", Quarantine("EncounteredQuarantineException", NOON, 3, "digest"))
        assert await store.standing(CRM.connector) == Standing()
        await store.save_standing(CRM.connector, quarantined)
        await store.save_standing(WIKI.connector, told)
        assert await store.standing(CRM.connector) == quarantined
        assert await store.standing(WIKI.connector) == told
        await store.save_standing(CRM.connector, Standing("another"))
        assert await store.standing(CRM.connector) == Standing("another")
        await store.forget(CRM.connector)
        assert await store.standing(CRM.connector) == Standing()
