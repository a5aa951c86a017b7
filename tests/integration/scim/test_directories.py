"""The sequences of tests/property/engine/test_directories.py at SCIM servers of others."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given

from integration.servers import Server
from sequences.amount import few
from sequences.apps import ServerApp
from sequences.origins import MemoryOrigin
from sequences.play import play
from sequences.truth import Step, scripts


@pytest.fixture(params=["scim2_server", "scimmy"], scope="module")
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@few(4)
@given(script=scripts())
def test_every_directory_ends_as_it_is_at_a_server_of_others(server: Server, script: list[Step]) -> None:
    asyncio.run(play(script, MemoryOrigin(), ServerApp(server)))
