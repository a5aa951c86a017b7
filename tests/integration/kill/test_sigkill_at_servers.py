"""A sync killed at any request of a server that nobody here wrote, and run again, gives the same accounts."""

from __future__ import annotations

import pytest

from integration.cli.background import Background
from integration.cli.folders import Folder
from integration.kill.blows import (
    BLOWS_AT_SERVERS,
    THERE,
    Blow,
    expect_everybody_once,
    kill,
    run_again,
    run_killed,
    stale,
)
from integration.kill.nursery import Nursery
from integration.proxy import Strike, running_proxy
from integration.servers import Server


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    """The one that is named, without accounts."""
    found: Server = request.getfixturevalue(request.param)
    found.empty()
    return found


@pytest.mark.parametrize(("blow", "server"), BLOWS_AT_SERVERS, ids=str, indirect=["server"])
def test_killed_at_a_server_that_nobody_here_wrote(
    blow: Blow, server: Server, peopled: Folder, nursery: Nursery, background: Background
) -> None:
    pids: list[int] = []
    origin, _, path = server.url.rpartition("/")
    with background.entered(running_proxy(origin)) as proxy:
        for name in THERE:
            server.plant(stale(name))
        proxy.strike = Strike(blow.point, blow.moment, lambda: kill(pids))

        run_killed(peopled, f"{proxy.url}/{path}", nursery, pids)
        proxy.strike = None
        run_again(peopled, blow)

        expect_everybody_once(server.accounts())
