"""An app that can't be asked who is there, on the command line, against a real HTTP server."""

from __future__ import annotations

from integration.cli.folders import Folder
from usher.testing.faults import FaultKind, Operation
from usher.testing.hostile_server import HostileServer

ASKED = "auth:"
BLIND = "quirks: {lookup: None}, auth:"


def test_somebody_whose_create_got_lost_waits_until_a_person_has_looked_at_the_app(
    folder: Folder, app: HostileServer
) -> None:
    folder.people(["ada", "bob"])
    folder.change("people.yaml", ASKED, BLIND)
    app.faults.strike(Operation.CREATE, FaultKind.UNAVAILABLE)
    folder.sync()
    waiting = folder.sync()
    assert "CreateOutcomeUnknown" in waiting.stdout
    assert app.requests["POST"] == 2
    (lost,) = {"ada@example.com", "bob@example.com"} - {
        str(one.document["userName"]) for one in app.app.accounts.values()
    }
    lost_id = f"id-{lost.partition('@')[0]}"

    refused = folder.run("links", "people", "id-nobody", "--no-account")
    said = folder.run("links", "people", lost_id, "--no-account")

    assert (refused.exit_code, said.exit_code) == (1, 0)
    assert "closed: the next cycle makes the account" in said.stdout
    assert folder.sync().exit_code == 0
    assert len(app.app.accounts) == 2


def test_whoever_says_that_there_is_no_account_says_whose(folder: Folder) -> None:
    result = folder.run("links", "people", "--no-account")
    assert result.exit_code == 2
    assert "takes IDs" in result.stderr
