"""The sequences of tests/property/engine/test_directories.py on a slapd, by whole reads and by changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given

from directory.configuration import Settings
from directory.slapd import Slapd
from integration.servers import Server
from sequences.amount import few
from sequences.apps import App, MemoryApp, ServerApp
from sequences.origins import SlapdOrigin
from sequences.play import CHANGES, WHOLE, play
from sequences.truth import Step, scripts
from usher.sources.ldap.settings import Changes

LAST_READS = {Changes.MODIFY_TIMESTAMP: WHOLE, Changes.SYNCREPL: CHANGES}
"""By modifyTimestamp nobody is told who left, which a whole read finds; syncrepl tells everything."""


@pytest.fixture(params=["memory", "scim2_server"], scope="module")
def make_app(request: pytest.FixtureRequest) -> Callable[[], App]:
    if request.param == "memory":
        return MemoryApp
    server: Server = request.getfixturevalue(request.param)
    return lambda: ServerApp(server)


@pytest.mark.parametrize("changes", LAST_READS)
@few(3)
@given(script=scripts())
def test_every_directory_ends_as_it_is_from_a_slapd(
    make_app: Callable[[], App], changes: Changes, script: list[Step]
) -> None:
    with TemporaryDirectory() as folder, Slapd(Path(folder), Settings(session_log=100)) as slapd:
        asyncio.run(play(script, SlapdOrigin(slapd, changes), make_app(), LAST_READS[changes]))
