"""A sync killed at any request and run again gives the same accounts: none twice, none missing."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from integration.cli.background import Background
from integration.cli.folders import Folder
from integration.kill.blows import (
    BLOWS,
    MOMENTS,
    POINTS,
    REQUESTS,
    SERVERS,
    SOURCES,
    THERE,
    Blow,
    expect_everybody_once,
    in_turns,
    kill,
    run_again,
    run_killed,
    server_in_turn,
    stale,
)
from integration.kill.nursery import Nursery
from integration.kill.people import come_from_a_file
from usher.testing.faults import Fault, FaultKind, FaultSchedule, request
from usher.testing.hostile_server import HostileSettings, hostile_server
from usher.testing.memory_settings import MemorySettings


def test_in_turns_each_pair_of_ends_meets_each_moment_with_and_without_its_state() -> None:
    met = {(blow.moment, blow.forgotten, blow.source, server_in_turn(blow)) for blow in in_turns()}

    assert met == set(product(MOMENTS, (False, True), SOURCES, SERVERS))


def test_the_last_request_that_is_struck_is_the_last_of_a_run(tmp_path: Path, background: Background) -> None:
    folder = Folder(tmp_path / "manifests", "http://127.0.0.1:1")
    come_from_a_file(folder)
    with background.entered(hostile_server()) as app:
        for name in THERE:
            app.app.plant(stale(name))
        folder.connector("people", url=app.url)

        assert folder.sync().exit_code == 0
        assert dict(app.requests) == REQUESTS
    assert max(POINTS) == sum(REQUESTS.values())


@pytest.mark.parametrize("blow", BLOWS, ids=str)
def test_killed_at_an_app_without_uniqueness(
    blow: Blow, peopled: Folder, nursery: Nursery, background: Background
) -> None:
    pids: list[int] = []
    kind = FaultKind.KILL_BEFORE if blow.moment == "before" else FaultKind.KILL_AFTER
    faults = FaultSchedule([request(blow.point, Fault(kind, kill=lambda: kill(pids)))])
    settings = HostileSettings(app=MemorySettings(unique=None))
    with background.entered(hostile_server(settings, faults)) as app:
        for name in THERE:
            app.app.plant(stale(name))

        run_killed(peopled, app.url, nursery, pids)
        faults.heal()
        run_again(peopled, blow)

        assert len(faults.injected) == 1
        expect_everybody_once(app.app.document(account) for account in app.app.accounts)
        assert max(app.history.most_accounts_by("userName").values()) == 1
