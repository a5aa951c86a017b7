"""The scope and the policy of a connector on the command line, against a real HTTP server."""

from __future__ import annotations

from integration.cli.folders import Folder
from usher.testing.hostile_server import HostileServer

ALL = "scope: {include: All}"


def entry(name: str) -> str:
    return f"{{attribute: userPrincipalName, value: {name}@example.com}}"


def test_an_entry_that_means_nobody_is_told_by_its_path_and_costs_nobody_the_access(
    folder: Folder, app: HostileServer
) -> None:
    folder.people(["ada", "bob"])
    folder.change("people.yaml", ALL, f"scope: {{users: [{entry('ada')}, {entry('bob')}]}}")
    assert folder.sync().exit_code == 0
    folder.change("people.yaml", "bob@", "bbo@")

    for command, code in (("plan", 3), ("sync", 1)):
        result = folder.run(command)
        assert result.exit_code == code
        assert "spec.scope.users[1]: no user of the source has this userPrincipalName" in result.stdout
        assert "nobody leaves" in result.stdout
        assert "bbo" not in result.stdout
    assert all(app.app.document(account)["active"] for account in app.app.accounts)
    assert folder.data("plan")["unresolved"] == [
        "spec.scope.users[1]: no user of the source has this userPrincipalName"
    ]


def test_observing_shows_who_is_there_and_writes_nothing(folder: Folder, app: HostileServer) -> None:
    app.app.plant({"userName": "ada@example.com", "active": True})
    orphan = app.app.plant({"userName": "stranger", "active": True})
    folder.people(["ada", "bob"])
    folder.change("people.yaml", ALL, f"{ALL}\n  policy: Observe")

    synced, planned = folder.sync(), folder.run("plan")

    assert (synced.exit_code, planned.exit_code, app.writes) == (0, 3, 0)
    assert "spec.policy is Observe: nothing was written" in synced.stdout
    for told in (synced.stdout, planned.stdout):
        assert "users at the app: 1 matched, 1 unmatched, 0 ambiguous, 1 orphans" in told
    assert f"? orphan {orphan}: nobody in scope matches this user" in planned.stdout
    assert folder.data("plan")["orphans"] == [{"resourceType": "User", "targetId": orphan}]


def test_an_account_that_is_never_touched_stays_as_it_is(folder: Folder, app: HostileServer) -> None:
    root = app.app.plant({"userName": "svc-root@example.com", "active": True})
    folder.people(["ada", "svc-root"])
    folder.change("people.yaml", ALL, 'scope: {include: All, neverTouch: [{attribute: userName, value: "SVC-*"}]}')

    assert folder.sync().exit_code == 0
    assert app.app.document(root) == {"userName": "svc-root@example.com", "active": True}
    assert len(app.app.accounts) == 2


def test_an_attribute_that_the_app_does_not_know_protects_nobody_and_stops_the_connector(
    folder: Folder, app: HostileServer
) -> None:
    folder.people(["ada"])
    folder.change("people.yaml", ALL, "scope: {include: All, neverTouch: [{attribute: usrName, value: root}]}")
    result = folder.sync()
    assert result.exit_code == 1
    assert "spec.scope.neverTouch[0].attribute: usrName is not in" in result.stderr
    assert app.writes == 0
