"""`--approve HASH`: with a hash that nothing waits under the sync is done, and the word is an error."""

from __future__ import annotations

from integration.cli.folders import Folder
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
