"""What every state store has to prove. Subclass `StoreContract` in a test module, give the fixture `store`, run pytest.

    class TestMyStore(StoreContract):
        @pytest.fixture
        async def store(self) -> AsyncIterator[Store]:
            ...

The store of each test is empty. The suite imports no pytest itself.
"""

from __future__ import annotations

from usher.testing.store_anchorings import AnchoringStoreContract
from usher.testing.store_assignments import AssignmentStoreContract
from usher.testing.store_claims import ClaimStoreContract
from usher.testing.store_comparisons import ComparisonStoreContract
from usher.testing.store_deletions import DeletionStoreContract
from usher.testing.store_discoveries import DiscoveryStoreContract
from usher.testing.store_endings import EndingStoreContract
from usher.testing.store_escrows import EscrowStoreContract
from usher.testing.store_journal import JournalStoreContract
from usher.testing.store_keys import KeyStoreContract
from usher.testing.store_links import LinkStoreContract
from usher.testing.store_log import LogStoreContract
from usher.testing.store_plans import PlanStoreContract
from usher.testing.store_references import ReferenceStoreContract
from usher.testing.store_retention import RetentionStoreContract
from usher.testing.store_snapshots import SnapshotStoreContract
from usher.testing.store_standings import StandingStoreContract
from usher.testing.store_transfers import TransferStoreContract


class StoreContract(
    SnapshotStoreContract,
    LinkStoreContract,
    DeletionStoreContract,
    EscrowStoreContract,
    ClaimStoreContract,
    AssignmentStoreContract,
    ReferenceStoreContract,
    TransferStoreContract,
    AnchoringStoreContract,
    ComparisonStoreContract,
    PlanStoreContract,
    LogStoreContract,
    JournalStoreContract,
    EndingStoreContract,
    StandingStoreContract,
    DiscoveryStoreContract,
    KeyStoreContract,
    RetentionStoreContract,
):
    """The rules of `usher.contracts.store`, a sentence each."""
