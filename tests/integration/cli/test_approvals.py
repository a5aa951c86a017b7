"""`--approve HASH`: with a hash that nothing waits under the sync is done, and the word is an error."""

from __future__ import annotations

import json

from click.testing import CliRunner

from integration.cli.folders import Folder
from usher.cli.main import usher
from usher.testing.hostile_server import HostileServer

PEOPLE = [f"user{n:02}" for n in range(20)]
WRONG = "0" * 16


def test_a_word_while_nothing_waits_is_an_error_and_the_sync_is_done(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)

    result = folder.sync("--approve", WRONG)

    assert result.exit_code == 1
    assert f"--approve {WRONG} had no effect: nothing waits for an approval" in result.stderr
    assert len(app.app.accounts) == 20


def test_a_word_for_another_held_plan_is_told_which_hash_waits(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people([*PEOPLE[3:], "new"])

    digest = folder.data("plan")["held"]["hash"]
    result = folder.sync("--approve", WRONG)

    assert result.exit_code == 1
    assert f"what waits has the hash {digest} (default/people), not this one" in result.stderr
    assert len(app.app.accounts) == 21, "the sync itself was done"


def test_a_word_for_another_void_read_is_told_which_hash_waits(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people(PEOPLE[10:])

    result = folder.sync("--approve", WRONG)

    assert result.exit_code == 1
    assert "(the read of IdentitySource/directory), not this one" in result.stderr
    assert app.writes == 20


def test_the_void_read_of_a_plan_and_of_a_sync_names_the_command_that_believes_it(
    folder: Folder, app: HostileServer
) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people(PEOPLE[10:])

    for command in ("plan", "sync"):
        result = folder.run(command)
        digest = result.stderr.partition("with the hash ")[2].split()[0]
        assert result.exit_code == 4
        assert f"  usher sync -f {folder.path} --approve {digest}" in result.stdout.splitlines()[-1]
    assert folder.sync("--approve", digest).exit_code == 4, "believed, and held by the budget"
    assert folder.sync("--approve", digest).exit_code == 1, "the read waits no more"


def test_a_word_that_one_of_two_connectors_takes_is_no_error(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.connector("away", url="http://127.0.0.1:1/scim")
    folder.sync("--connector", "people")
    folder.people(PEOPLE[3:])
    digest = folder.data("plan", "--connector", "people")["held"]["hash"]

    result = folder.sync("--approve", digest)

    assert "had no effect" not in result.stderr
    assert app.writes == 23


def test_a_word_that_nothing_was_compared_with_is_not_told_as_wrong(folder: Folder) -> None:
    folder.people(PEOPLE)
    folder.connector("people", url="http://127.0.0.1:1/scim")

    result = folder.sync("--approve", WRONG)

    assert result.exit_code == 1
    assert "no set was compared with it, as these failed: default/people" in result.stderr


def test_where_all_needs_an_approval_plan_and_sync_end_with_4_and_write_nothing(
    folder: Folder, app: HostileServer
) -> None:
    folder.change("people.yaml", "safety: {", "safety: {approval: Always, ")
    folder.people(PEOPLE)

    assert folder.run("plan").exit_code == 4
    held = folder.sync()
    digest = folder.data("plan")["held"]["hash"]

    assert held.exit_code == 4
    assert "held (ApprovalRequired): 20 to create; 20 changes wait until" in held.stdout
    assert app.writes == 0
    assert folder.sync("--approve", digest).exit_code == 0
    assert len(app.app.accounts) == 20
    assert folder.run("plan").exit_code == 0


def test_another_id_column_takes_nobodys_account_and_waits_for_an_approval(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.change("source.yaml", "file: people.csv", "file: people.csv, idColumn: userPrincipalName")

    held = folder.sync()
    digest = folder.data("plan")["held"]["hash"]

    assert held.exit_code == 4
    assert "changed from csv:objectId to csv:userPrincipalName" in held.stdout
    assert "nobody leaves: 20 to take over" in held.stdout
    assert folder.sync("--approve", digest).exit_code == 0
    assert app.writes == 20, "the accounts of before, and nothing written to them since"
    assert folder.run("plan").exit_code == 0


def test_another_address_is_held_too(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    moved = folder.url.replace("127.0.0.1", "localhost")
    assert moved != folder.url
    folder.change("people.yaml", folder.url, moved)

    held = folder.sync()

    assert held.exit_code == 4
    assert f"the app's address changed from {folder.url} to {moved}" in held.stdout
    folder.change("people.yaml", moved, folder.url)
    assert folder.run("plan").exit_code == 0, "as if nothing had been"


# --- plan NAME


def test_what_waits_is_shown_by_the_name_of_the_connector_without_a_word_to_the_app(
    folder: Folder, app: HostileServer
) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people([*PEOPLE[3:], "new"])
    folder.sync()
    before = sum(app.requests.values())

    shown = folder.run("plan", "people")

    assert shown.exit_code == 4
    assert sum(app.requests.values()) == before
    assert shown.stdout.startswith("default/people: 3 changes held, 0 planned")
    assert "- disable id-user00 (account" in shown.stdout
    command = shown.stdout.splitlines()[-1].strip()
    assert command.startswith(f"usher sync -f {folder.path} --approve ")
    told = json.loads(folder.run("plan", "people", "-o", "json").stdout)
    assert [one["sourceId"] for one in told["changes"]] == ["id-user00", "id-user01", "id-user02"]
    assert command.endswith(told["held"]["hash"])
    assert (told["held"]["reason"], told["held"]["approved"]) == ("OverBudget", False)


def test_what_a_plan_has_found_is_shown_until_it_is_done(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada", "bob"])
    folder.run("plan")
    shown = folder.run("plan", "people")
    assert shown.exit_code == 3
    assert "0 changes held, 2 planned" in shown.stdout
    assert "+ create id-ada" in shown.stdout
    assert app.writes == 0

    folder.sync()
    nothing = folder.run("plan", "people")
    assert nothing.exit_code == 0
    assert "nothing waits for an approval" in nothing.stdout


def test_a_plan_of_neither_a_name_nor_files_is_a_wrong_use(folder: Folder, app: HostileServer) -> None:
    del app
    result = CliRunner().invoke(usher, ["plan"])
    assert result.exit_code == 2
    assert "name a connector of the cluster, or with -f the manifests" in result.stderr
    assert folder.run("plan", "people", "--connector", "people").exit_code == 2
    assert folder.run("plan", "nobody").exit_code == 2
