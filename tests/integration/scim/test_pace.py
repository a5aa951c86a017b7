"""The pace on a wire: an app that can't take much gets everything in the end, with few more requests than it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from usher.contracts.runtime import SecretRef
from usher.core.errors import Throttled
from usher.core.model.plans import Create
from usher.core.model.resources import AttributePath, ResourceType
from usher.engine.concurrency import for_each
from usher.engine.retry import Retrier
from usher.targets.scim.session import ScimSession, open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import real_runtime
from usher.testing.faults import Fault, FaultKind, FaultSchedule, every
from usher.testing.faults import Operation as Op
from usher.testing.hostile_server import HostileServer, hostile_server
from usher.testing.memory_secrets import MemorySecrets
from usher.transport.addresses import cli_policy

TOKEN = SecretRef("Secret", "app", "token")
NAME = AttributePath("userName")
MANY = 120


@pytest.fixture
async def app() -> AsyncIterator[HostileServer]:
    """Every fifth create is one too many."""
    faults = FaultSchedule([every(Op.CREATE, 5, Fault(FaultKind.THROTTLED, retry_after=0))])
    async with hostile_server(faults=faults) as server:
        yield server


async def test_an_app_that_asks_for_patience_again_and_again_gets_everybody(app: HostileServer) -> None:
    runtime = real_runtime()
    secrets = MemorySecrets({TOKEN: app.token})
    retrier = Retrier(runtime)
    async with open_scim(ScimSettings(app.url, TOKEN), secrets, runtime, cli_policy()) as session:
        await for_each(range(MANY), lambda number: make(session, retrier, number), 16)

    assert len(app.app.accounts) == MANY
    assert app.requests["POST"] <= MANY * 1.3


async def make(session: ScimSession, retrier: Retrier, number: int) -> None:
    try:
        await retrier.write(lambda: session.create(Create(ResourceType.USER, {NAME: f"user{number}"})))
    except Throttled:
        await make(session, retrier, number)
