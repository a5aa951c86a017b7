"""The SCIM session fulfils the contract against a strict server, in every temper that such a server may have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from ipaddress import ip_network
from typing import ClassVar, Final

import pytest

from usher.contracts.runtime import SecretRef
from usher.contracts.target import TargetSession
from usher.core.model.resources import Json, ResourceType, TargetId
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.app_under_test import AppUnderTest
from usher.testing.clock import fake_runtime
from usher.testing.contract import TargetContract
from usher.testing.hostile_server import Exclusion, HostileSettings, hostile_server
from usher.testing.memory_secrets import MemorySecrets
from usher.testing.memory_settings import MemorySettings
from usher.transport.addresses import AddressPolicy

LOOPBACK: Final = AddressPolicy(networks=(ip_network("127.0.0.0/8"),))
TOKEN: Final = SecretRef("Secret", "app", "token")


def scim_session(url: str, token: str) -> AbstractAsyncContextManager[TargetSession]:
    return open_scim(ScimSettings(url, TOKEN), MemorySecrets({TOKEN: token}), fake_runtime(), LOOPBACK)


class TestScimSession(TargetContract):
    settings: ClassVar[HostileSettings] = HostileSettings()

    @pytest.fixture
    async def app(self) -> AsyncIterator[AppUnderTest]:
        async with hostile_server(self.settings) as server:

            async def document(target_id: TargetId) -> Mapping[str, Json] | None:
                return server.app.document(target_id) if target_id in server.app.accounts else None

            async def group(target_id: TargetId) -> Mapping[str, Json] | None:
                groups = server.app.collection(ResourceType.GROUP)
                return groups.document(target_id) if target_id in groups.accounts else None

            yield AppUnderTest(
                open=lambda: scim_session(server.url, server.token),
                intrude=lambda: scim_session(server.url, "wrong"),
                document=document,
                group=group,
            )


class TestScimSessionWithoutVersionsAndUniqueness(TestScimSession):
    has_versions = False
    enforces_uniqueness = False
    unique_groups = False
    knows_members = False
    settings = HostileSettings(app=MemorySettings(unique=None, versioned=False, takes_strangers=True))


class TestScimSessionWithSilentPatchesAndSmallPages(TestScimSession):
    settings = HostileSettings(app=MemorySettings(page_size=7), patch_status=204)


class TestScimSessionWithAwkwardIds(TestScimSession):
    settings = HostileSettings(app=MemorySettings(id_format='{} /ü?&#%2F"\\..;'))


class TestScimSessionWhereNothingCanBeLeftOut(TestScimSession):
    settings = HostileSettings(exclusion=Exclusion.REFUSED)


class TestScimSessionWhereLeavingOutIsIgnored(TestScimSession):
    settings = HostileSettings(exclusion=Exclusion.IGNORED)
