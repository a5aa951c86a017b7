"""Groups on the command line: what plan, sync, links, logs and validate show of them, between ends in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from usher.assembly.connectors import assemble_connector
from usher.cli import tasks
from usher.cli.main import usher
from usher.core.model.resources import ResourceType, SourceKey
from usher.engine.job import ConnectorJob, SourceJob
from usher.testing.memory_source import MemorySource
from usher.testing.memory_target import MemoryTarget

MANAGER: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
MANIFESTS: Final = f"""\
apiVersion: provisioning.usher.dev/v1alpha1
kind: IdentitySource
metadata: {{name: corp}}
spec:
  ldap:
    url: ldaps://ldap.example.com
    bindDN: cn=reader
    secretRef: {{name: app, key: token}}
    users: {{baseDN: ou=people}}
    groups: {{baseDN: ou=groups}}
---
apiVersion: provisioning.usher.dev/v1alpha1
kind: AttributeMapping
metadata: {{name: people}}
spec:
  attributes:
    - {{target: userName, source: userPrincipalName, match: 1}}
    - {{target: '{MANAGER}', source: manager, onNull: Clear}}
---
apiVersion: provisioning.usher.dev/v1alpha1
kind: AttributeMapping
metadata: {{name: teams}}
spec:
  resourceType: Group
  attributes:
    - {{target: displayName, source: displayName, match: 1}}
    - {{target: members, source: members}}
---
apiVersion: provisioning.usher.dev/v1alpha1
kind: ProvisioningConnector
metadata: {{name: app}}
spec:
  sourceRef: {{name: corp}}
  target: {{scim: {{url: 'https://app.example.com', auth: {{bearer: {{secretRef: {{name: app, key: token}}}}}}}}}}
  scope: {{include: All}}
  mappings: [{{name: people}}, {{name: teams}}]
---
{{apiVersion: v1, kind: Secret, metadata: {{name: app}}, stringData: {{token: let-me-in}}}}
"""


TO_DO: Final = "app: 3 to create, 1 with other references; groups: 1 to create, 1 with other references"


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder of manifests, and both ends."""

    path: Path
    source: MemorySource
    target: MemoryTarget

    def run(self, command: str, *arguments: str) -> Result:
        return CliRunner().invoke(usher, [command, *arguments, "-f", str(self.path / "all.yaml")])

    def data(self, command: str, *arguments: str) -> Any:
        return json.loads(self.run(command, *arguments, "-o", "json").stdout)

    def change(self, old: str, new: str) -> None:
        file = self.path / "all.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    source, target = MemorySource(attributes=("manager",)), MemoryTarget()

    def read_memory(key: SourceKey, spec: Any, _: Any) -> SourceJob:
        kinds = (ResourceType.USER,) if spec.ldap.groups is None else (ResourceType.USER, ResourceType.GROUP)
        return SourceJob(key, kinds, source.open, 80, timedelta())

    def write_memory(*parts: Any) -> ConnectorJob:
        return replace(assemble_connector(*parts), open_target=target.open)

    monkeypatch.setattr(tasks, "assemble_source", read_memory)
    monkeypatch.setattr(tasks, "assemble_connector", write_memory)
    (tmp_path / "all.yaml").write_text(MANIFESTS, encoding="utf-8")
    source.put("ada", userPrincipalName="ada")
    source.put("ben", userPrincipalName="ben", manager="ada")
    source.put("cleo", userPrincipalName="cleo")
    source.put_group("eng", displayName="Engineering", members=("ada", "ben"))
    return Desk(tmp_path, source, target)


def test_a_plan_tells_groups_apart_and_whom_they_get(desk: Desk) -> None:
    shown = desk.run("plan")

    assert shown.exit_code == 3, shown.output
    lines = [line.strip() for line in shown.output.splitlines()]
    assert any(line.endswith(TO_DO) for line in lines)
    assert "+ create group eng" in lines
    assert lines[lines.index("~ references of group eng") + 1].strip() == "members: +ada, +ben"
    assert lines[lines.index("~ references of ben") + 1].strip() == f"{MANAGER}: +ada"


def test_a_plan_names_whoever_loses_a_reference_by_the_id_of_the_source(desk: Desk) -> None:
    assert desk.run("sync").exit_code == 0
    desk.source.put_group("eng", displayName="Engineering", members=("ada", "cleo"))
    desk.source.put("ben", userPrincipalName="ben")

    lines = [line.strip() for line in desk.run("plan").output.splitlines()]
    rows = desk.data("plan")["connectors"][0]["changes"]

    assert "members: -ben" in lines
    assert "members: +cleo" in lines
    assert f"{MANAGER}: (none)" in lines
    (taken,) = (row for row in rows if row["action"] == "Remove")
    (edit,) = taken["attributes"]
    assert (taken["resourceType"], taken["sourceId"], edit["removeSourceIds"]) == ("Group", "eng", ["ben"])


def test_a_long_list_of_members_is_cut_for_people_only(desk: Desk) -> None:
    everybody = [f"p{number:02}" for number in range(30)]
    for name in everybody:
        desk.source.put(name, userPrincipalName=name)
    desk.source.put_group("eng", displayName="Engineering", members=tuple(everybody))

    lines = [line.strip() for line in desk.run("plan").output.splitlines()]
    rows = desk.data("plan")["connectors"][0]["changes"]

    (members,) = (line for line in lines if line.startswith("members: "))
    assert members.endswith("+p19 and 10 more")
    (given,) = (row for row in rows if row["action"] == "Refer" and row["sourceId"] == "eng")
    assert given["attributes"] == [{"path": "members", "refer": everybody}]


def test_sync_counts_groups_and_their_references_apart(desk: Desk) -> None:
    desk.source.put_group("eng", displayName="Engineering", members=("ada", "ben", "nobody"))

    shown = desk.run("sync")

    assert shown.exit_code == 0, shown.output
    assert "groups: 1 created, 1 with other references" in shown.output
    assert "1 reference waits for an account at their other end" in shown.output


def test_a_cycle_is_told_to_programs_with_both_counts(desk: Desk) -> None:
    told = desk.data("sync")["connectors"][0]

    assert (told["counts"]["created"], told["counts"]["references"]) == (3, 1)
    assert (told["groups"]["created"], told["groups"]["references"], told["waitingReferences"]) == (1, 1, 0)


def test_a_group_that_is_left_undone_is_told_to_be_one(desk: Desk) -> None:
    desk.source.put_group("twin", displayName="Engineering", members=())

    undone = desk.data("sync")["connectors"][0]["undone"]

    assert {(each["resourceType"], each["sourceId"]) for each in undone} == {("Group", "eng"), ("Group", "twin")}
    lines = desk.run("plan").output.splitlines()
    assert any(line.strip().startswith("! left alone group twin: ") for line in lines)


def test_links_and_logs_tell_the_type(desk: Desk) -> None:
    assert desk.run("sync").exit_code == 0

    links = desk.data("links", "app")
    entries = desk.data("logs", "app", "--user", "eng")["entries"]

    assert [(each["resourceType"], each["sourceId"]) for each in links["links"]] == [
        ("User", "ada"),
        ("User", "ben"),
        ("User", "cleo"),
        ("Group", "eng"),
    ]
    assert links["total"] == 4
    assert {each["resourceType"] for each in entries} == {"Group"}
    assert len(desk.data("links", "app", "--limit", "3")["links"]) == 3


def test_a_mapping_of_groups_at_a_source_without_groups_is_refused_with_the_way_out(desk: Desk) -> None:
    desk.change("    groups: {baseDN: ou=groups}\n", "")

    for command in ("validate", "plan"):
        shown = desk.run(command)
        assert shown.exit_code == 1
        told = "spec.mappings[1]: AttributeMapping/teams is for groups, and IdentitySource/corp reads none"
        assert told in " ".join(shown.output.split())


def test_a_mapping_that_is_turned_off_needs_no_groups_and_plans_none(desk: Desk) -> None:
    desk.change("    groups: {baseDN: ou=groups}\n", "")
    desk.change("  resourceType: Group\n", "  resourceType: Group\n  enabled: false\n")

    told = desk.data("plan")["connectors"][0]

    assert (told["groups"], told["counts"]["created"]) == (None, 3)


def test_two_mappings_of_one_type_are_refused_by_the_second(desk: Desk) -> None:
    desk.change("  resourceType: Group\n", "")
    desk.change("    - {target: members, source: members}\n", "    - {target: title, source: title}\n")

    shown = desk.run("validate")

    assert shown.exit_code == 1
    told = "ProvisioningConnector/app spec.mappings[1]: AttributeMapping/teams is for users, and so is"
    assert told in " ".join(shown.output.replace(":\n", ": ").split())


TESTS: Final = """\
mapping: MAPPING
tests:
  - name: it refers to people by their ids
    input: {INPUT}
    expected: {EXPECTED}
"""
PERSON: Final = "userPrincipalName: x, manager: ada"
TEAM: Final = "displayName: x, members: [ada, ben]"


@pytest.mark.parametrize(
    ("mapping", "person", "expected", "counts"),
    [
        ("teams", TEAM, "displayName: x, members: [ben, ada]", "1 passed, 0 failed"),
        ("teams", TEAM, "members: [ada]", "0 passed, 1 failed"),
        ("people", PERSON, f"'{MANAGER}': ada", "1 passed, 0 failed"),
        ("people", PERSON, f"'{MANAGER}': ben", "0 passed, 1 failed"),
    ],
)
def test_a_test_of_a_mapping_can_expect_references(
    desk: Desk, mapping: str, person: str, expected: str, counts: str
) -> None:
    text = TESTS.replace("MAPPING", mapping).replace("INPUT", person).replace("EXPECTED", expected)
    file = desk.path / "tests.yml"
    file.write_text(text, encoding="utf-8")

    assert counts in desk.run("validate", "--test", str(file)).output


def test_of_a_group_nobody_says_that_it_should_be_disabled(desk: Desk) -> None:
    shown = desk.run("validate").output

    assert "AttributeMapping/people spec.attributes: active is not mapped" in shown
    assert "AttributeMapping/teams" not in shown


def test_logs_are_found_by_what_they_say_and_come_in_pages(desk: Desk) -> None:
    assert desk.run("sync").exit_code == 0
    everything = desk.data("logs", "app")

    creates = desk.data("logs", "app", "--action", "create", "--step", "action", "--result", "Success", "--since", "1h")
    assert {each["sourceId"] for each in creates["entries"]} == {"ada", "ben", "cleo", "eng"}
    assert desk.data("logs", "app", "--until", "1h")["entries"] == []
    assert desk.data("logs", "app", "--reason", "Unheard")["entries"] == []
    cycle = creates["entries"][0]["cycle"]
    assert desk.data("logs", "app", "--cycle", cycle) == everything

    first = desk.data("logs", "app", "--limit", "2")
    rest = desk.data("logs", "app", "--before", str(first["before"]))
    assert [*first["entries"], *rest["entries"]] == everything["entries"]
    assert (everything["before"], rest["before"]) == (None, None)
    assert f"--before {first['before']}" in desk.run("logs", "app", "--limit", "2").output


def test_logs_show_values_where_the_connector_wants_them_kept(desk: Desk) -> None:
    desk.change("  scope: {include: All}\n", "  scope: {include: All}\n  provisioningLog: {attributeValues: Full}\n")
    assert desk.run("sync").exit_code == 0

    [line] = desk.data("logs", "app", "--user", "cleo")["entries"]
    assert line["values"]["userName"] == {"old": None, "new": "cleo"}
    assert 'userName: (none) -> "cleo"' in desk.run("logs", "app", "--user", "cleo").output


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--since", "yesterday"), "has to be a time with its zone"),
        (("--since", "1h", "--until", "2h"), "--since has to be earlier than --until"),
        (("--action", "Destroy"), "is not one of"),
    ],
)
def test_a_filter_that_can_not_be_meant_is_refused_with_what_can(desk: Desk, asked: tuple[str, str], said: str) -> None:
    refused = desk.run("logs", "app", *asked)
    assert refused.exit_code == 2
    assert said in refused.output


def test_of_many_members_without_an_account_people_are_told_the_first_and_programs_all(desk: Desk) -> None:
    strangers = tuple(f"stranger{n:02}" for n in range(30))
    desk.source.put_group("eng", displayName="Engineering", members=("ada", *strangers))
    assert desk.run("sync").exit_code == 0

    told = desk.data("explain", "app", "ENGINEERING")

    assert (told["resourceType"], told["sourceId"]) == ("Group", "eng")
    assert [one["given"] for one in told["references"]] == ["Given", *["NoActiveAccount"] * 30]
    (waiting,) = (one["text"] for one in told["states"] if one["state"] == "reference")
    assert waiting.startswith("members: no active account here: stranger00, stranger01, ")
    assert waiting.endswith(" and 10 more")
