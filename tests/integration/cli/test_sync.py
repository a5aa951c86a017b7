"""`usher plan` and `usher sync` against a real HTTP server: what they do, say and end with."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from integration.cli.folders import Folder
from integration.servers import Server
from usher.testing.faults import Fault, FaultKind, Operation, nth
from usher.testing.hostile_server import HostileServer

PEOPLE = [f"user{n:02}" for n in range(20)]


def accounts(app: HostileServer, path: str = "userName") -> set[object]:
    return {app.app.document(account)[path] for account in app.app.accounts}


def test_a_plan_shows_everybody_who_would_be_created_and_writes_nothing(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)

    result = folder.run("plan", "--limit", "2")

    assert result.exit_code == 3
    assert "default/people: 20 to create" in result.stdout
    assert "+ create id-user00" in result.stdout
    assert 'userName = "user00@example.com"' in result.stdout
    assert "... and 18 more to create" in result.stdout
    assert app.writes == 0


def test_a_plan_for_programs_has_every_row_under_stable_names(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people([*PEOPLE[1:], "new"], title="Director")

    data = folder.data("plan", "--limit", "1")

    assert data["counts"] | {"created": 1, "updated": 19, "disabled": 1} == data["counts"]
    by_action = {row["action"]: row for row in data["changes"]}
    assert by_action["Update"]["attributes"] == [{"path": "title", "old": "Engineer", "new": "Director"}]
    leaver = by_action["Disable"]
    assert leaver | {"sourceId": "id-user00", "cause": "SourceDeleted", "held": False} == leaver
    assert len(data["changes"]) == 21
    assert set(data) == {
        "connector", "exitCode", "errors", "result", "kind", "started", "completed", "counts", "groups",
        "inScope", "linked", "pending", "escrowed", "givenUp", "nextRetry", "waitingReferences", "unresolved",
        "assessments", "comparisons", "held", "quarantine", "credentialExpires", "changes", "skipped", "orphans",
    }  # fmt: skip


def test_a_plan_over_the_budget_is_held_shown_approved_and_applied_once(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people(PEOPLE[3:])

    planned = folder.run("plan")
    held = folder.data("sync")["held"]
    refused = folder.sync("--approve", "0" * 16)
    before = app.writes
    approved = folder.sync("--approve", held["hash"])
    after = app.writes
    again = folder.sync("--approve", held["hash"])

    assert (planned.exit_code, refused.exit_code) == (4, 1)
    assert planned.stdout.count("[held]") == 3
    assert held | {"reason": "OverBudget", "count": 3} == held
    assert f"usher sync -f {folder.path} --approve {held['hash']}" in refused.stdout
    assert (before, after, app.writes) == (20, 23, 23)
    assert (approved.exit_code, again.exit_code) == (0, 1)
    assert {app.app.document(a)["userName"] for a in app.app.accounts if not app.app.document(a)["active"]} == {
        f"{name}@example.com" for name in PEOPLE[:3]
    }


def test_the_hash_of_a_plan_that_was_only_shown_can_be_approved_in_one_act(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people(PEOPLE[3:])

    held = folder.data("plan")["held"]
    result = folder.sync("--approve", held["hash"])

    assert result.exit_code == 0
    assert app.writes == 23


def test_a_set_that_came_back_and_left_again_can_be_approved_again(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    for _ in range(2):
        folder.people(PEOPLE[3:])
        held = folder.data("sync")["held"]
        assert folder.sync("--approve", held["hash"]).exit_code == 0
        folder.people(PEOPLE)
        assert folder.sync().exit_code == 0

    assert app.writes == 20 + 2 * 6


def test_a_source_with_half_of_its_people_is_void_until_its_hash_is_approved(
    folder: Folder, app: HostileServer
) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people(PEOPLE[10:])

    void = folder.sync()
    digest = void.stderr.partition("with the hash ")[2].split()[0]
    believed = folder.sync("--approve", digest)

    assert void.exit_code == believed.exit_code == 4
    assert "source.yaml: IdentitySource/directory spec.minRetained" in void.stderr
    assert "10 of the 20 people" in void.stderr
    assert "10 of 20 live accounts" in believed.stdout, "the budget still applies"
    assert app.writes == 20


def test_an_empty_source_is_void_and_once_believed_still_held(folder: Folder, app: HostileServer) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people([])

    void = folder.sync()
    digest = void.stderr.partition("with the hash ")[2].split()[0]
    believed = folder.data("sync", "--approve", digest)
    result = folder.sync("--approve", believed["held"]["hash"])

    assert void.exit_code == 4
    assert believed["held"]["reason"] == "EmptySource"
    assert result.exit_code == 0
    assert app.writes == 40


def test_who_can_not_be_provisioned_is_named_with_the_reason_and_the_others_are_served(
    folder: Folder, app: HostileServer
) -> None:
    folder.people(["ada", "zoe"], more=["id-b,ada@example.com,B,", "id-c,,C,"])

    plan = folder.run("plan")
    result = folder.sync()

    assert plan.exit_code == 3
    assert "! left alone id-c: ImportSkipped" in plan.stdout
    assert result.exit_code == 1
    assert "DuplicateSourceEntries" in result.stdout
    assert "clashes with id-b" in result.stdout
    assert "id-c    ImportSkipped" in result.stdout
    assert accounts(app) == {"zoe@example.com"}
    folder.people(["ada", "zoe"], more=["id-b,bob@example.com,B,", "id-c,cleo@example.com,C,"])
    assert folder.sync().exit_code == 0
    assert accounts(app) == {f"{name}@example.com" for name in ("ada", "bob", "cleo", "zoe")}


def test_a_second_connector_on_the_same_account_never_writes_it(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada", "bob"])
    folder.connector("zweiter")

    result = folder.sync()

    assert result.exit_code == 1
    assert result.stdout.count("OwnedByOtherConnector") == 3
    assert app.writes == 2


def test_a_suspended_connector_is_left_out(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada"])
    folder.connector("people", change=("spec:\n", "spec:\n  suspend: true\n"))

    result = folder.sync()

    assert result.exit_code == 0
    assert "spec.suspend" in result.stderr
    assert app.writes == 0


def test_a_failing_connector_stops_no_other_and_the_exit_code_is_the_worst(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada"])
    folder.connector("away", url="http://127.0.0.1:1/scim")

    result = folder.sync()

    assert result.exit_code == 1
    assert "ProvisioningConnector/away spec.target.scim.url" in result.stderr
    assert accounts(app) == {"ada@example.com"}


def test_only_the_connectors_that_are_named_run(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada"])
    folder.connector("away", url="http://127.0.0.1:1/scim")

    assert folder.sync("--connector", "people").exit_code == 0
    wrong = folder.sync("--connector", "peple")
    assert wrong.exit_code == 2
    assert "default/away, default/people" in wrong.stderr


def test_the_state_is_made_private_said_once_and_kept_out_of_repositories(folder: Folder) -> None:
    folder.people(["ada"])
    state = folder.path / ".usher" / "state.db"

    first, second = folder.sync(), folder.sync()

    assert str(state) in first.stderr
    assert str(state) not in second.stderr
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.parent.stat().st_mode) == 0o700
    assert (state.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_another_state_file_is_used_when_it_is_named(folder: Folder, tmp_path: Path) -> None:
    folder.people(["ada"])
    other = tmp_path / "other.db"

    assert folder.sync("--state", str(other)).exit_code == 0
    assert other.exists()
    assert not (folder.path / ".usher").exists()


def test_log_and_links_are_read_from_the_state(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada", "bob"])
    folder.sync()

    logs = folder.run("logs", "people", "--person", "id-ada")
    links = folder.run("links", "default/people", "-o", "json", "--limit", "1")

    assert logs.exit_code == links.exit_code == 0
    assert "Create" in logs.stdout
    assert "id-bob" not in logs.stdout
    assert '"total": 2' in links.stdout
    assert links.stdout.count("sourceId") == 1


def test_a_state_that_a_running_sync_has_is_said_so(folder: Folder) -> None:
    folder.people(["ada"])
    folder.sync()
    with (folder.path / ".usher" / "state.db.lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for command in (["logs", "people"], ["links", "people"], ["sync"], ["plan"]):
            result = folder.run(*command)
            assert result.exit_code == 1
            assert f"in use by process {os.getpid()}" in result.stderr


def test_log_and_links_without_a_state_say_where_it_was_looked_for(folder: Folder) -> None:
    folder.people(["ada"])

    result = folder.run("links", "people")

    assert result.exit_code == 1
    assert str(folder.path / ".usher" / "state.db") in result.stderr


def test_words_of_a_source_can_not_steer_the_terminal(folder: Folder, app: HostileServer) -> None:
    folder.people([], more=["id-\x1b]0;x\x07,ada@example.com,A\x1b[31md\u202ea,"])

    for form in ("text", "markdown", "json", "yaml"):
        result = folder.run("plan", "-o", form)
        assert "ada@example.com" in result.stdout
        assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout)


def test_a_lost_answer_is_looked_for_and_nobody_is_created_twice(folder: Folder, app: HostileServer) -> None:
    app.faults.add(nth(Operation.CREATE, 2, Fault(FaultKind.LOST_AFTER)))
    folder.people(["ada", "bob", "cleo"])

    result = folder.sync()

    assert result.exit_code == 0
    assert len(app.app.accounts) == 3


def test_whom_no_query_of_the_server_finds_is_told_and_gets_no_second_account(folder: Folder, scimmy: Server) -> None:
    """scimmy looks for the escapes of a filter themselves: nobody with a backslash is found but in a list."""
    scimmy.empty()
    scimmy.plant({"userName": "corp\\ada@example.com", "displayName": "Before"})
    folder.connector("people", url=scimmy.url)
    folder.people([], more=["id-ada,corp\\ada@example.com,Ada,"])

    told = folder.sync()
    folder.people(PEOPLE, more=["id-ada,corp\\ada@example.com,Ada,"])
    listed = folder.sync()

    assert told.exit_code == 1
    assert "id-ada" in told.stdout
    assert "EntryConflict" in told.stdout
    assert listed.exit_code == 0, listed.output
    assert sum(one["userName"] == "corp\\ada@example.com" for one in scimmy.accounts()) == 1
