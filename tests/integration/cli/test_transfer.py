"""`usher links NAME --transfer OTHER`, against a real HTTP server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.cli.folders import Folder
from usher.testing.hostile_server import HostileServer


@pytest.fixture
def shared(folder: Folder) -> Folder:
    """`people` links ada, bob and cleo; `other` means ada and bob, and was refused their accounts."""
    folder.people(["ada", "bob", "cleo"])
    assert folder.sync().exit_code == 0
    users = ", ".join(f"{{attribute: userPrincipalName, value: {one}@example.com}}" for one in ("ada", "bob"))
    folder.connector("other", change=("scope: {include: All}", f"scope: {{users: [{users}]}}"))
    refused = folder.sync("--connector", "other")
    assert refused.stdout.count("OwnedByOtherConnector") == 3
    return folder


def data(folder: Folder, *arguments: str) -> Any:
    return json.loads(folder.run("links", *arguments, "-o", "json").stdout)


def test_a_transfer_is_shown_first_and_done_with_yes(shared: Folder, app: HostileServer) -> None:
    shown = shared.run("links", "people", "--transfer", "other")

    assert shown.exit_code == 3
    assert "default/people: 2 links would go to default/other, 1 stay" in shown.stdout
    assert "stays: not in the scope of default/other" in shown.stdout
    assert "2 of them are in the scope of default/people too" in shown.stdout
    assert "--transfer default/other --yes" in shown.stdout
    assert data(shared, "people")["total"] == 3, "nothing was handed over yet"

    done = shared.run("links", "people", "--transfer", "other", "--yes")

    assert done.exit_code == 0
    assert "default/people: 2 links handed over to default/other, 1 stay" in done.stdout
    assert [one["sourceId"] for one in data(shared, "other")["links"]] == ["id-ada", "id-bob"]
    assert [one["sourceId"] for one in data(shared, "people")["links"]] == ["id-cleo"]
    assert "Transferred" in shared.run("logs", "people", "--user", "id-ada").stdout
    assert "from default/people" in shared.run("logs", "other", "--user", "id-ada").stdout

    shared.people(["ada", "bob", "cleo"], title="Director")
    assert shared.sync("--connector", "other").exit_code == 0
    assert [app.app.document(one).get("title") for one in app.app.accounts].count("Director") == 2
    writes = app.writes
    former = shared.sync("--connector", "people")
    assert former.stdout.count("OwnedByOtherConnector") == 3, "they are still in its scope"
    assert app.writes == writes + 1, "cleo's title, which is still its own to write"
    assert all(app.app.document(one)["active"] for one in app.app.accounts)


def test_the_command_that_is_shown_does_it(shared: Folder) -> None:
    shown = shared.run("links", "people", "id-bob", "--transfer", "other")
    command = next(line for line in shown.stdout.splitlines() if line.strip().startswith("usher links"))

    words = command.split()
    assert words[-5:] == ["default/people", "id-bob", "--transfer", "default/other", "--yes"]
    assert shared.run("links", *words[-5:]).exit_code == 0
    assert data(shared, "other")["total"] == 1


def test_who_was_named_and_can_not_go_is_a_failure_before_it_is_done_too(shared: Folder) -> None:
    assert shared.run("links", "people", "id-ada", "id-nobody", "--transfer", "other").exit_code == 1
    assert shared.run("links", "people", "id-ada", "--transfer", "other").exit_code == 3
    assert data(shared, "other")["total"] == 0


def test_who_was_named_and_can_not_go_is_a_failure(shared: Folder) -> None:
    result = shared.run("links", "people", "id-cleo", "id-nobody", "--transfer", "other", "--yes")

    assert result.exit_code == 1
    assert "stays: default/people links nobody of this id" in result.stdout
    found = data(shared, "people", "id-cleo", "id-nobody", "--transfer", "other")
    assert [one["obstacle"] for one in found["links"]] == ["NotInScope", "NoLink"]
    assert data(shared, "people")["total"] == 3


def test_a_connector_without_a_manifest_hands_over_what_the_state_knows(shared: Folder) -> None:
    (shared.path / "people.yaml").unlink()

    assert shared.run("links", "people", "--transfer", "other", "--yes").exit_code == 0
    assert shared.sync().exit_code == 0
    assert data(shared, "other")["total"] == 2


def test_another_app_or_source_is_refused_by_its_field(shared: Folder, tmp_path: Path) -> None:
    shared.connector("elsewhere", url=shared.url.replace("127.0.0.1", "localhost"))
    shared.run("plan", "--connector", "elsewhere")
    app = shared.run("links", "people", "--transfer", "elsewhere")
    assert app.exit_code == 1
    assert "elsewhere.yaml: ProvisioningConnector/elsewhere spec.target.scim.url: is another app" in app.stderr

    source = (shared.path / "source.yaml").read_text(encoding="utf-8").replace("name: directory", "name: second")
    shared.write("second-source.yaml", source)
    shared.connector("foreign", change=("sourceRef: {name: directory}", "sourceRef: {name: second}"))
    shared.run("plan", "--connector", "foreign")
    foreign = shared.run("links", "people", "--transfer", "foreign")
    assert foreign.exit_code == 1
    assert "ProvisioningConnector/foreign spec.sourceRef: reads default/second" in foreign.stderr


def test_a_connector_that_never_ran_can_not_inherit(shared: Folder) -> None:
    shared.connector("fresh")
    result = shared.run("links", "people", "--transfer", "fresh", "--yes")
    assert result.exit_code == 1
    assert "ProvisioningConnector/fresh: has never run" in result.stderr
    assert "has no links" in shared.run("links", "fresh", "--transfer", "people").stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("people", "id-ada"), "are for --transfer OTHER"),
        (("people", "--yes"), "are for --transfer OTHER"),
        (("people", "--transfer", "people"), "that is the connector itself"),
        (("people", "--transfer", "othr"), "is not among the manifests"),
        (("peple", "--transfer", "other"), "nor in the state"),
    ],
)
def test_a_wrong_use_is_told(shared: Folder, arguments: tuple[str, ...], told: str) -> None:
    result = shared.run("links", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_nothing_is_handed_over_while_another_process_has_the_state(shared: Folder) -> None:
    from usher.state.statefile import locked  # noqa: PLC0415 - only this test holds the file

    with locked(shared.path / ".usher" / "state.db"):
        result = shared.run("links", "people", "--transfer", "other", "--yes")
    assert result.exit_code == 1
    assert "is in use by process" in str(result.exception) + result.stderr
