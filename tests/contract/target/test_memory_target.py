"""The memory target fulfils the contract, in every temper that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from usher.core.model.resources import Json, ResourceType, TargetId
from usher.testing.app_under_test import AppUnderTest
from usher.testing.contract import TargetContract
from usher.testing.faults import Fault, FaultKind, FaultSchedule, when
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget


class TestMemoryTarget(TargetContract):
    misses_members = False
    settings: ClassVar[MemorySettings] = MemorySettings(page_size=3)

    @pytest.fixture
    def app(self) -> AppUnderTest:
        target = MemoryTarget(self.settings)
        refusing = MemoryTarget(faults=FaultSchedule([when(lambda _: True, Fault(FaultKind.UNAUTHORIZED))]))

        async def document(target_id: TargetId) -> Mapping[str, Json] | None:
            return target.document(target_id) if target_id in target.accounts else None

        async def group(target_id: TargetId) -> Mapping[str, Json] | None:
            groups = target.collection(ResourceType.GROUP)
            return groups.document(target_id) if target_id in groups.accounts else None

        return AppUnderTest(target.open, refusing.open, document, group)


class TestMemoryTargetWithoutUniquenessAndVersions(TestMemoryTarget):
    has_versions = False
    enforces_uniqueness = False
    unique_groups = False
    knows_members = False
    settings = MemorySettings(unique=None, versioned=False, page_size=3, takes_strangers=True)
