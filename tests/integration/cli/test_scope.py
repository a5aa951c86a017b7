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


def test_validate_knows_the_roles_that_the_scope_gives(folder: Folder) -> None:
    folder.people(["ada"])
    line = "{target: roles, expression: 'AppRoleAssignmentsComplex([appRoleAssignments])'}"
    folder.change("mapping.yaml", "{target: title, source: jobTitle}", line)
    everybody = folder.run("validate")
    folder.change("people.yaml", ALL, f"scope: {{users: [{entry('ada')}]}}")
    assigned = folder.run("validate")
    assert (everybody.exit_code, assigned.exit_code) == (1, 0), assigned.output
    assert "has no attribute appRoleAssignments" in everybody.stderr


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
    assert "ProvisioningConnector/people spec.scope.neverTouch[0].attribute: usrName is not in" in result.stderr
    assert "spec.mappings" not in result.stderr
    assert app.writes == 0


def test_with_observe_it_is_said_what_would_be(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada", "bob"])
    folder.change("people.yaml", ALL, f"{ALL}\n  policy: Observe")

    result = folder.sync()

    assert "would be 2 created" in result.stdout
    assert app.writes == 0


# --- filters of the connector ---------------------------------------------------------------------------------------


def filtered(clause: str) -> str:
    return f"scope: {{include: All, scopeFilters: [{{clauses: [{clause}]}}]}}"


def test_a_plan_shows_whom_a_filter_of_the_connector_leaves_out(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada", "bob"], more=["id-cyd,cyd@example.com,Cyd,Manager"])
    assert folder.sync().exit_code == 0
    folder.change("people.yaml", ALL, filtered("{attribute: jobTitle, operator: Equals, value: Engineer}"))

    planned = folder.run("plan")

    assert planned.exit_code == 4, "no number of leavers is too small for a changed scope"
    assert "1 to disable" in planned.stdout
    approved = folder.sync("--approve", folder.data("plan")["held"]["hash"])
    assert approved.exit_code == 0
    assert sorted(bool(app.app.document(one)["active"]) for one in app.app.accounts) == [False, True, True]


def test_what_is_wrong_with_a_filter_is_told_by_its_path_in_the_connector(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada"])
    path = "ProvisioningConnector/people spec.scope.scopeFilters[0].clauses[0]"
    text = ALL
    for clause, told in (
        ("{attribute: jobTitle, operator: RegexMatch, value: '('}", f"{path}.value: the regular expression"),
        ("{attribute: jobTitel, operator: IsNull}", f"{path}.attribute: IdentitySource/directory has no attribute"),
        ("{attribute: jobTitle, operator: Is, value: x}", "spec.scope.scopeFilters[0].clauses[0].operator"),
        ("{attribute: jobTitle, operator: IsNull, value: x}", "spec.scope.scopeFilters[0].clauses[0]"),
    ):
        folder.change("people.yaml", text, filtered(clause))
        text = filtered(clause)
        for command in ("validate", "plan", "sync"):
            result = folder.run(command)
            assert (result.exit_code, told in result.stderr) == (1, True), result.output
    assert app.writes == 0
