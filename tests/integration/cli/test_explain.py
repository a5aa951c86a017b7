"""`usher explain`: how it stands with one person, from the state alone, against a real HTTP server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration.cli.folders import Folder
from usher.testing.faults import FaultKind, Operation
from usher.testing.hostile_server import HostileServer

FILTERS = """\
spec:
  scopeFilters:
    - name: staff
      clauses: [{attribute: jobTitle, operator: Equals, value: Engineer}]
"""


def told(folder: Folder, user: str) -> Any:
    result = folder.run("explain", "people", user, "-o", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def state(data: Any, name: str) -> Any:
    return next(one for one in data["states"] if one["state"] == name)


def test_somebody_with_an_account_is_told_without_a_word_to_source_or_app(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada", "bob"])
    folder.sync()
    (folder.path / "people.csv").unlink()
    (folder.path / "secret.yaml").unlink()
    before = sum(app.requests.values())

    data = told(folder, "ADA@example.com")

    assert sum(app.requests.values()) == before
    assert (data["sourceId"], data["enabled"]) == ("id-ada", True)
    assert state(data, "scope")["text"] == "in: an active account is wanted"
    values = {line["path"]: line["value"] for line in data["values"]}
    assert values == {"userName": "ada@example.com", "active": True, "displayName": "Ada", "title": "Engineer"}
    assert data["values"][1]["place"] == "AttributeMapping/people spec.attributes[1]"
    assert data["values"][1]["steps"][0]["value"] == "True"
    assert [line["action"] for line in data["log"]] == ["Create"]


def test_each_clause_of_a_filter_that_keeps_somebody_out_is_told_by_its_path(folder: Folder) -> None:
    folder.change("mapping.yaml", "spec:\n", FILTERS)
    folder.people(["ada"], title="Boss")
    folder.sync()

    data = told(folder, "id-ada")

    assert "OutOfScope" in state(data, "scope")["text"]
    assert "mend a filter" in state(data, "scope")["wayOut"]
    (clause,) = data["clauses"]
    assert (clause["clause"], clause["holds"]) == ("jobTitle Equals Engineer", False)
    assert clause["place"].startswith("AttributeMapping/people spec.scopeFilters[0]")


def test_who_failed_is_told_with_attempts_and_the_next_try(folder: Folder, app: HostileServer) -> None:
    folder.people(["ada"])
    app.faults.strike(Operation.CREATE, FaultKind.REFUSED)
    folder.sync()

    data = told(folder, "ada@example.com")

    assert state(data, "escrow")["text"].startswith("Account failed once since ")
    assert "tried again in the next cycle" in state(data, "escrow")["text"]
    assert "userName = ada@example.com" in state(data, "match")["text"]


def test_a_line_that_fails_is_told_beside_the_others(folder: Folder) -> None:
    folder.change("mapping.yaml", "{target: title, source: jobTitle}", "{target: title, expression: 'Not([jobTitle])'}")
    folder.people(["ada"])
    folder.sync()

    data = told(folder, "id-ada")

    assert "ExpressionFailed" in state(data, "scope")["text"]
    assert "usher eval" in state(data, "scope")["wayOut"]
    problems = {line["path"]: line.get("problem", "") for line in data["values"]}
    assert [path for path, problem in problems.items() if problem] == ["title"]
    assert data["values"][2]["value"] == "Ada"


def test_what_nobody_is_shown_is_not_shown_here(folder: Folder, app: HostileServer) -> None:
    line = "{target: title, expression: 'Redact([jobTitle])'}"
    folder.change("mapping.yaml", "{target: title, source: jobTitle}", line)
    hidden = "{target: userName, expression: 'Redact([userPrincipalName])', match: 1}"
    folder.change("mapping.yaml", "{target: userName, source: userPrincipalName, match: 1}", hidden)
    folder.people(["ada"], title="Spy")
    app.faults.strike(Operation.CREATE, FaultKind.REFUSED)
    folder.sync()

    for form in ("text", "json", "yaml", "markdown"):
        result = folder.run("explain", "people", "id-ada", "-o", form)
        assert result.exit_code == 0
        assert "Spy" not in result.stdout
        assert "ada@example.com" not in result.stdout


def test_who_is_in_a_held_plan_is_told_with_the_command_that_approves_it(folder: Folder) -> None:
    names = [f"user{n:02}" for n in range(20)]
    folder.people(names)
    folder.sync()
    folder.people(names[:17])
    assert folder.sync().exit_code == 4

    data = told(folder, "id-user19")

    assert "SourceDeleted" in state(data, "scope")["text"]
    assert state(data, "held")["text"].startswith("Disable is in the held plan ")
    assert "--approve" in state(data, "held")["wayOut"]


def test_a_reader_gets_sections_in_text_and_markdown(folder: Folder) -> None:
    folder.people(["ada"])
    folder.sync()

    text = folder.run("explain", "people", "id-ada").stdout
    markdown = folder.run("explain", "people", "id-ada", "-o", "markdown").stdout

    assert "default/people: User id-ada" in text
    assert "what each line of the mapping gives" in text
    assert "| scope | in: an active account is wanted |" in markdown


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("people", "adda@example.com"), 1, "did you mean ada@example.com"),
        (("people", "Ada"), 1, "did you mean ada@example.com"),
        (("nobody", "id-ada"), 2, "is not among the manifests"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_what_is(
    folder: Folder, arguments: tuple[str, str], code: int, said: str
) -> None:
    folder.people(["ada"])
    folder.sync()

    result = folder.run("explain", *arguments)

    assert result.exit_code == code
    assert said in result.stderr


def test_several_of_one_name_are_listed(folder: Folder) -> None:
    folder.people(["ada"], more=["id-other,ada@example.com,Ada,Engineer"])
    folder.sync()

    result = folder.run("explain", "people", "ada@example.com")

    assert result.exit_code == 1
    assert "id-ada" in result.stdout
    assert "id-other" in result.stdout
    assert "DuplicateSourceEntries" in folder.run("explain", "people", "id-other").stdout


def test_without_a_state_the_way_to_one_is_told(folder: Folder) -> None:
    folder.people(["ada"])

    result = folder.run("explain", "people", "id-ada")

    assert result.exit_code == 1
    assert "usher sync" in result.stderr


def test_who_waits_in_a_held_plan_has_a_line_in_the_log_and_is_not_told_that_all_is_well(folder: Folder) -> None:
    folder.people([f"user{number:02}" for number in range(20)])
    folder.sync()
    folder.people([f"user{number:02}" for number in range(3, 20)])
    for _ in range(2):
        folder.sync()

    data = told(folder, "id-user00")

    lines = [(line["action"], line["result"], line["reason"]) for line in data["log"]]
    assert lines == [("Disable", "Skipped", "PlanHeld"), ("Create", "Success", "")], (
        "once, though it waits for two cycles"
    )
    assert "held plan" in data["log"][0]["detail"]
    assert state(data, "account")["wayOut"] == "the next cycle changes it, unless another state here says why not"
    assert "approve" in state(data, "held")["wayOut"]
