"""What a sync does to accounts, at a server of ours and at servers that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.cli.background import Background
from integration.cli.folders import HEADER, MAPPING, Folder, row
from integration.cli.targets import App, OfOthers, OfOurs
from integration.proxy import running_proxy
from integration.servers import Server
from usher.core.model.resources import AttributePath
from usher.core.scim.values import read
from usher.testing.hostile_server import hostile_server

PEOPLE = [f"user{n:02}" for n in range(20)]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MORE = {
    "givenName": "name.givenName",
    "surname": "name.familyName",
    "mail": 'emails[type eq "work"].value',
    "mobile": 'phoneNumbers[type eq "mobile"].value',
    "telephoneNumber": 'phoneNumbers[type eq "work"].value',
    "city": 'addresses[type eq "work"].locality',
    "country": 'addresses[type eq "work"].country',
    "department": f"{ENTERPRISE}:department",
    "employeeId": f"{ENTERPRISE}:employeeNumber",
    "mailNickname": "externalId",
}


@pytest.fixture(params=["ours", "scim2_server", "scimmy"])
def app(request: pytest.FixtureRequest, background: Background) -> Iterator[App]:
    if request.param == "ours":
        with background.entered(hostile_server()) as ours:
            yield OfOurs(ours)
        return
    server: Server = request.getfixturevalue(request.param)
    server.empty()
    with background.entered(running_proxy(server.url.rpartition("/")[0])) as proxy:
        yield OfOthers(server, proxy)


def names(app: App) -> set[object]:
    return {account["userName"] for account in app.documents()}


def test_a_sync_creates_everybody_and_a_second_one_writes_nothing(folder: Folder, app: App) -> None:
    folder.people(PEOPLE)

    first = folder.sync()
    written = app.writes
    second = folder.sync()

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "20 created" in first.stdout
    assert names(app) == {f"{name}@example.com" for name in PEOPLE}
    assert app.writes == written == 20
    assert folder.run("plan").exit_code == 0


def test_joiner_mover_and_leaver_are_written_once_each_and_a_return_is_too(folder: Folder, app: App) -> None:
    folder.people(PEOPLE)
    folder.sync()
    folder.people([*PEOPLE[2:], "joiner"], more=["id-user01,user01@example.com,User01,Director"])

    changed = folder.sync()
    left = {one["userName"]: (one["title"], one["active"]) for one in app.documents()}
    writes = app.writes
    again = folder.sync()
    folder.people([*PEOPLE, "joiner"])
    back = folder.sync()

    assert (changed.exit_code, again.exit_code, back.exit_code) == (0, 0, 0)
    assert left["user00@example.com"] == ("Engineer", False)
    assert left["user01@example.com"] == ("Director", True)
    assert left["joiner@example.com"] == ("Engineer", True)
    assert (writes, app.writes) == (20 + 3, 20 + 3 + 2)
    assert {(one["title"], one["active"]) for one in app.documents()} == {("Engineer", True)}


def test_who_is_deleted_is_disabled_first_and_gone_after_the_next_read(folder: Folder, app: App) -> None:
    folder.people(PEOPLE)
    policy = "  deprovisioning: {onSourceDeleted: Delete, deleteAfter: 0s}\n"
    folder.change("people.yaml", "  mappings:", f"{policy}  mappings:")
    folder.sync()
    folder.people(PEOPLE[1:])

    disabled = folder.sync()
    active = {one["userName"]: one["active"] for one in app.documents()}
    plan = folder.run("plan")
    deleted = folder.sync()
    writes = app.writes
    again = folder.sync()

    assert [one.exit_code for one in (disabled, plan, deleted, again)] == [0, 3, 0, 0]
    assert ("1 disabled" in disabled.stdout, active["user00@example.com"]) == (True, False)
    assert "1 to delete" in plan.stdout
    assert ("1 deleted" in deleted.stdout, app.writes) == (True, writes)
    assert names(app) == {f"{name}@example.com" for name in PEOPLE[1:]}


def test_an_account_that_is_there_already_is_linked_and_brought_up_to_date(folder: Folder, app: App) -> None:
    app.plant({"userName": "user00@example.com", "displayName": "Somebody", "active": True})
    folder.people(PEOPLE[:3])

    plan = folder.run("plan")
    result = folder.sync()

    assert "2 to create" in plan.stdout
    assert 'displayName: "Somebody" -> "User00"' in plan.stdout
    assert result.exit_code == 0
    assert len(app.documents()) == 3


def test_every_form_of_path_is_written_once_and_changed_in_its_place(folder: Folder, app: App) -> None:
    lines = "".join(f"    - {{target: '{target}', source: {source}}}\n" for source, target in MORE.items())
    folder.write("mapping.yaml", MAPPING + lines)
    header = f"{HEADER},{','.join(MORE)}\n"
    ada = ["Ada", "Lovelace", "ada@x.example", "+1 202 1", "+1 202 2", "London", "GB", "R&D", "007", "CORP\\ada"]
    zoe = ["Zoë", "O'Neil", "Zoe@X.example", *[""] * 7]
    moved = [*ada[:3], "+1 202 3", "", "Berlin", "DE", "Sales", "7", "corp\\ada"]
    written = []
    for one, other in ((ada, zoe), (ada, zoe), (moved, [*zoe[:3], *moved[3:9], "zoe"]), (moved, zoe)):
        folder.write("people.csv", f"{header}{row('ada')},{','.join(one)}\n{row('zoe')},{','.join(other)}\n")
        assert folder.sync().exit_code == 0
        written.append(app.writes)

    assert written == [2, 2, 4, 4]
    paths = [AttributePath(path) for path in MORE.values()]
    first, second = sorted(app.documents(), key=lambda one: str(one["userName"]))
    assert [read(path, first) for path in paths] == [*moved[:4], ada[4], *moved[5:]]
    assert [read(path, second) for path in paths] == [*zoe[:3], "+1 202 3", None, *moved[5:9], "zoe"]
    numbers = read(AttributePath("phoneNumbers.value"), first), read(AttributePath("phoneNumbers.value"), second)
    assert [len(held) for held in numbers if isinstance(held, list)] == [2, 1]


FLOWING = """\
    - {target: roles, expression: 'Split([rights], ";")'}
    - {target: entitlements, expression: 'Split([badges], ";")', apply: AddValuesOnly}
    - {target: userType, source: kind, onNull: Clear}
    - {target: preferredLanguage, source: language, apply: OnCreate}
    - {target: nickName, expression: 'SelectUniqueValue([short], Join("", [short], "2"))'}
    - {target: password, source: secret}
"""
FLOW_COLUMNS = ("rights", "badges", "kind", "language", "short", "secret")


def values_of(account: object, attribute: str) -> set[object]:
    held = account.get(attribute) if isinstance(account, dict) else None
    return {value["value"] for value in held or ()}


def test_values_flow_when_the_mapping_says_so(folder: Folder, app: App) -> None:
    folder.write("mapping.yaml", MAPPING + FLOWING)
    zoe = f"{row('zoe')},,,,,lee,Swordfish-1"
    written, shown = [], ""
    for ada in (
        "admin;editor,a;b,staff,de,lee,Swordfish-2",
        "admin;editor,a;b,staff,de,lee,Swordfish-2",
        "editor;viewer,b;c,guest,fr,other,Swordfish-3",
        ",,,,,",
        ",,,,,",
    ):
        folder.write("people.csv", f"{HEADER},{','.join(FLOW_COLUMNS)}\n{row('ada')},{ada}\n{zoe}\n")
        shown = shown + folder.run("plan").stdout
        assert folder.sync().exit_code == 0
        written.append(app.writes)
        if len(written) == 3:
            changed = next(one for one in app.documents() if one["userName"] == "ada@example.com")

    assert written == [2, 2, 3, 4, 4]
    assert values_of(changed, "roles") == {"editor", "viewer"}
    assert values_of(changed, "entitlements") == {"a", "b", "c"}
    assert (changed["userType"], changed["preferredLanguage"]) == ("guest", "de")
    after = next(one for one in app.documents() if one["userName"] == "ada@example.com")
    assert (values_of(after, "roles"), after.get("userType")) == (set(), None)
    assert values_of(after, "entitlements") == {"a", "b", "c"}
    assert {one["nickName"] for one in app.documents()} == {"lee", "lee2"}
    assert "Swordfish" not in shown


def test_an_account_is_found_by_several_attributes_together(folder: Folder, app: App) -> None:
    grouped = "    - {target: userType, source: kind}\n    - {target: name.familyName, source: surname}\n"
    groups = "  matchGroups: [{targets: [userType, name.familyName], precedence: 2}]\n"
    folder.write("mapping.yaml", MAPPING + grouped + groups)
    app.plant({"userName": "old1@example.com", "userType": "7", "name": {"familyName": "Lovelace"}, "active": True})
    app.plant({"userName": "old2@example.com", "userType": "8", "name": {"familyName": "Lovelace"}, "active": True})
    folder.write("people.csv", f"{HEADER},kind,surname\n{row('ada')},7,Lovelace\n{row('zoe')},9,Lovelace\n")

    result = folder.sync()

    assert result.exit_code == 0
    assert names(app) == {"ada@example.com", "old2@example.com", "zoe@example.com"}
