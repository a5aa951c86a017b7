"""The memory target fulfils the contract, in every temper that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from usher.core.model.resources import Json, TargetId
from usher.testing.contract import AppUnderTest, TargetContract
from usher.testing.faults import Fault, FaultKind, FaultSchedule, when
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget


class TestMemoryTarget(TargetContract):
    settings: ClassVar[MemorySettings] = MemorySettings(page_size=3)

    @pytest.fixture
    def app(self) -> AppUnderTest:
        target = MemoryTarget(self.settings)
        refusing = MemoryTarget(faults=FaultSchedule([when(lambda _: True, Fault(FaultKind.UNAUTHORIZED))]))

        async def document(target_id: TargetId) -> Mapping[str, Json] | None:
            return target.document(target_id) if target_id in target.accounts else None

        return AppUnderTest(target.open, refusing.open, document)


class TestMemoryTargetWithoutUniquenessAndVersions(TestMemoryTarget):
    has_versions = False
    enforces_uniqueness = False
    settings = MemorySettings(unique=None, versioned=False, page_size=3)
