"""The first signal ends a sync in good order, the second one at once; either way the next run goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from integration.cli.background import Background
from integration.cli.folders import Folder
from integration.kill.nursery import Nursery
from usher.testing.faults import Fault, FaultKind, Operation, nth
from usher.testing.hostile_server import HostileServer, HostileSettings, hostile_server
from usher.testing.memory_settings import MemorySettings

PEOPLE = [f"user{n:03}" for n in range(120)]


@pytest.fixture
def app(background: Background) -> Iterator[HostileServer]:
    with background.entered(hostile_server(HostileSettings(app=MemorySettings(latency=0.05)))) as server:
        yield server


def signalled(folder: Folder, app: HostileServer, nursery: Nursery, signals: dict[int, signal.Signals]) -> int:
    """The exit code of a sync that gets these signals, each with the answer to that create."""
    pids: list[int] = []
    for number, sent in signals.items():

        def send(sent: signal.Signals = sent) -> None:
            os.kill(pids[-1], sent)

        app.faults.add(nth(Operation.CREATE, number, Fault(FaultKind.KILL_AFTER, kill=send)))
    folder.connector("people", url=app.url)
    folder.people(PEOPLE)
    return nursery.run(["sync", "-f", str(folder.path)], pids.append)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_after_the_requests_in_flight_and_keeps_the_state(
    folder: Folder, app: HostileServer, background: Background, nursery: Nursery, sent: signal.Signals
) -> None:
    code = signalled(folder, app, nursery, {5: sent})
    made = len(app.app.accounts)
    app.faults.heal()
    linked = folder.data("plan")["linked"]
    result = folder.sync()

    assert code == 1
    assert 5 <= made < len(PEOPLE)
    assert made - linked <= 1, "only the create whose answer the signal swallowed is not recorded"
    assert result.exit_code == 0
    assert len(app.app.accounts) == len(PEOPLE)


def test_the_second_signal_ends_at_once(
    folder: Folder, app: HostileServer, background: Background, nursery: Nursery
) -> None:
    code = signalled(folder, app, nursery, {5: signal.SIGINT, 6: signal.SIGTERM})
    app.faults.heal()

    assert code in (-signal.SIGINT, -signal.SIGTERM)
    assert folder.sync().exit_code == 0
    assert len(app.app.accounts) == len(PEOPLE)
