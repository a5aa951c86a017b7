"""`usher validate` with the app's own schemas, and with unit tests of mappings."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from usher.cli.main import usher
from usher.core.scim.values import get_value
from usher.testing.hostile_documents import schemas_document

HR = "urn:example:hr:User"
MAPPING = f"""\
apiVersion: provisioning.usher.dev/v1alpha1
kind: AttributeMapping
metadata: {{name: NAME}}
spec:
  attributes:
    - {{target: userName, source: userPrincipalName, match: 1}}
    - {{target: active, expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'}}
    - {{target: displayName, expression: 'Join(" ", [givenName], [surname])'}}
    - {{target: 'emails[type eq "work"].value', source: mail}}
    - {{target: title, source: jobTitle, default: Employee}}
    - {{target: '{HR}:badge', expression: 'Switch([vip], [badge], "True", "0")'}}
    - {{target: roles.value, source: roles}}
"""
ONCE = """\
    - {target: locale, constant: en-US, apply: OnCreate}
    - {target: nickName, source: nick, onNull: Clear}
"""
SCHEMAS = schemas_document({"name": "nickName"}, hr=[{"name": "badge", "type": "integer"}])
ADA = {"userPrincipalName": "ada@example.com", "givenName": "Ada", "surname": "Lovelace", "badge": "007"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "mapping.yaml").write_text(MAPPING.replace("NAME", "people"), encoding="utf-8")
    (tmp_path / "schemas.json").write_text(json.dumps(SCHEMAS), encoding="utf-8")
    return tmp_path


def validate(folder: Path, *arguments: str, schemas: str = "schemas.json") -> Result:
    given = ["--schemas", str(folder / schemas)] if schemas else []
    return CliRunner().invoke(usher, ["validate", "-f", str(folder / "manifests"), *given, *arguments])


def findings(result: Result) -> list[tuple[str, str]]:
    return [(each["severity"], each["path"]) for each in json.loads(result.stdout)["findings"]]


def check(folder: Path, document: object, *arguments: str) -> Result:
    """With this document of tests."""
    file = folder / "tests.yaml"
    file.write_text(document if isinstance(document, str) else yaml.safe_dump(document), encoding="utf-8")
    return validate(folder, "--test", str(file), *arguments)


def trial(folder: Path, case: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What became of one test."""
    result = check(folder, {"tests": [case], **more}, "-o", "json")
    (found,) = json.loads(result.stdout)["tests"]
    assert result.exit_code == (0 if found["passed"] else 1), result.output
    return dict(found)


# --- schemas --------------------------------------------------------------------------------------------------------


def test_a_mapping_is_right_by_the_schemas_of_its_app(folder: Path) -> None:
    assert findings(validate(folder, "-o", "json")) == []
    assert findings(validate(folder, "-o", "json", schemas="")) == [("warning", "spec.attributes[5].target")]


def test_what_the_apps_schemas_do_not_bear_out_is_told_with_file_object_and_field(folder: Path) -> None:
    (folder / "schemas.json").write_text(
        json.dumps(schemas_document({"name": "title", "type": "integer"}, hr=[{"name": "bagde"}])), encoding="utf-8"
    )

    result = validate(folder)

    assert result.exit_code == 1
    assert "mapping.yaml: AttributeMapping/people spec.attributes[4].default: " in result.stderr
    assert f"AttributeMapping/people spec.attributes[5].target: {HR}:badge is not in" in result.stderr


@pytest.mark.parametrize("shape", ["list", "one", "yaml"])
def test_schemas_are_read_in_every_shape_in_which_they_are_met(folder: Path, shape: str) -> None:
    resources = get_value("Resources", SCHEMAS)
    assert isinstance(resources, list)
    content = {"list": resources, "one": resources[1], "yaml": SCHEMAS}[shape]
    name = "schemas.yaml" if shape == "yaml" else "other.json"
    (folder / name).write_text(yaml.safe_dump(content) if shape == "yaml" else json.dumps(content), encoding="utf-8")

    assert findings(validate(folder, "-o", "json", schemas=name)) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"Resources": []}', '"x"', '{"id": "urn:example:x:User"}'])
def test_a_file_that_describes_no_user_is_refused(folder: Path, text: str) -> None:
    (folder / "schemas.json").write_text(text, encoding="utf-8")

    result = validate(folder)

    assert result.exit_code == 1
    assert "schemas.json" in result.stderr
    assert "Traceback" not in result.output


# --- tests of mappings ----------------------------------------------------------------------------------------------


def test_a_test_that_holds_passes_and_is_counted(folder: Path) -> None:
    case = {
        "name": "Ada joins",
        "input": ADA,
        "expected": {
            "userName": "ada@example.com",
            "displayname": "Ada Lovelace",
            "title": "Employee",
            f"{HR}:badge": 7,
            "active": True,
            'emails[type eq "work"].value': None,
        },
        "only": True,
    }

    result = check(folder, [case])

    assert result.exit_code == 0, result.output
    assert "1 tests: 1 passed, 0 failed" in result.stdout


def test_a_test_that_does_not_hold_shows_a_diff_and_ends_with_1(folder: Path) -> None:
    case = {"name": "Ada joins", "input": ADA, "expected": {"displayName": "Ada L.", f"{HR}:badge": "007"}}

    result = check(folder, [case])

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[1] == "1 tests: 0 passed, 1 failed (- expected, + got)"
    assert lines[2].endswith("tests.yaml: AttributeMapping/people: Ada joins")
    assert lines[3:] == [
        '  -   displayName: "Ada L."',
        '  +   displayName: "Ada Lovelace"',
        f'  -   {HR}:badge: "007"',
        f"  +   {HR}:badge: 7",
    ]


@pytest.mark.parametrize("form", ["json", "yaml", "markdown"])
def test_a_diff_has_every_form(folder: Path, form: str) -> None:
    result = check(folder, [{"input": ADA, "expected": {"title": "Boss"}}], "-o", form)

    assert result.exit_code == 1
    if form == "markdown":
        assert '-   title: "Boss"' in result.stdout
        return
    (found,) = yaml.safe_load(result.stdout)["tests"]
    assert (found["name"], found["passed"]) == ("[0]", False)
    assert found["differences"] == [{"path": "title", "expected": "Boss", "got": "Employee"}]


def test_an_update_sends_no_default_and_a_create_does(folder: Path) -> None:
    assert trial(folder, {"input": ADA, "expected": {"title": "Employee"}})["passed"]
    assert trial(folder, {"input": ADA, "expected": {"title": None}, "create": False})["passed"]
    assert not trial(folder, {"input": ADA, "expected": {"title": "Employee"}, "create": False})["passed"]


def test_what_is_applied_on_creation_only_is_in_no_update(folder: Path) -> None:
    file = folder / "manifests" / "mapping.yaml"
    file.write_text(MAPPING.replace("NAME", "people") + ONCE, encoding="utf-8")

    assert trial(folder, {"input": ADA, "expected": {"locale": "en-US", "nickName": None}})["passed"]
    assert trial(folder, {"input": ADA, "expected": {"locale": None, "nickName": None}, "create": False})["passed"]
    assert trial(folder, {"input": {**ADA, "nick": "Al"}, "expected": {"nickName": "Al"}, "create": False})["passed"]


def test_somebody_who_left_is_disabled_and_gets_no_account(folder: Path) -> None:
    left = {**ADA, "IsSoftDeleted": True}

    assert trial(folder, {"input": left, "expected": {"active": False}, "only": True})["passed"]
    assert "not active" in trial(folder, {"input": left, "expected": {"active": False}, "create": True})["problem"]


def test_no_other_path_may_have_a_value_where_only_says_so(folder: Path) -> None:
    case = {"input": ADA, "expected": {"userName": "ada@example.com"}}

    assert trial(folder, case)["passed"]
    paths = {each["path"] for each in trial(folder, {**case, "only": True})["differences"]}
    assert paths == {"active", "displayName", "title", f"{HR}:badge"}


def test_the_order_of_several_values_does_not_count_and_their_number_does(folder: Path) -> None:
    person = {**ADA, "roles": ["a", "b"]}

    assert trial(folder, {"input": person, "expected": {"roles.value": ["b", "a"]}})["passed"]
    assert not trial(folder, {"input": person, "expected": {"roles.value": ["b"]}})["passed"]


def test_true_is_neither_1_nor_a_text(folder: Path) -> None:
    assert trial(folder, {"input": ADA, "expected": {"active": True}})["passed"]
    for wrong in (1, "True"):
        assert not trial(folder, {"input": ADA, "expected": {"active": wrong}})["passed"]


def test_a_person_who_can_not_be_mapped_is_expected_by_a_part_of_the_message(folder: Path) -> None:
    broken = {**ADA, "badge": "seven"}

    assert trial(folder, {"input": broken, "error": "a whole number"})["passed"]
    assert "it fails: " in trial(folder, {"input": broken, "error": "true or false"})["problem"]
    assert "it fails: " in trial(folder, {"input": broken, "expected": {"title": "x"}})["problem"]
    assert "gave values" in trial(folder, {"input": ADA, "error": "a whole number"})["problem"]


def test_the_mapping_is_named_where_there_are_several(folder: Path) -> None:
    (folder / "manifests" / "other.yaml").write_text(MAPPING.replace("NAME", "other"), encoding="utf-8")
    case = {"input": ADA, "expected": {"title": "Employee"}}

    unnamed = check(folder, {"tests": [case]})
    unknown = check(folder, {"mapping": "peeple", "tests": [case]})

    assert (unnamed.exit_code, unknown.exit_code) == (1, 1)
    assert "tests.yaml: mapping: required" in unnamed.stderr
    assert "no AttributeMapping/peeple; there is: default/other, default/people" in unknown.stderr
    for name in ("other", "default/other"):
        assert trial(folder, case, mapping=name)["mapping"] == "AttributeMapping/other"


def test_tests_of_a_mapping_with_errors_are_not_run(folder: Path) -> None:
    text = MAPPING.replace("NAME", "people").replace("[surname])", "[surname]")
    (folder / "manifests" / "mapping.yaml").write_text(text, encoding="utf-8")

    result = check(folder, [{"input": ADA, "expected": {"title": "x"}}])

    assert result.exit_code == 1
    assert "its tests were not run" in result.stderr


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([{"input": ADA}], "[0]: exactly one of expected and error"),
        ([{"input": {"a": {"b": 1}}, "expected": {}}], "[0].input: a has to be a text"),
        ({"tests": [{"input": {}, "expected": {"emails[": 1}}]}, "tests[0].expected: target path"),
        ({"tests": [{"input": {}, "expect": {}}]}, "tests[0].expect: unknown field; did you mean expected?"),
        ({"tests": []}, "tests: too few items"),
        ({"now": "2026-01-01", "tests": [{"input": {}, "expected": {}}]}, "now: has to be a time with its zone"),
        ("- input: {hired: 2024-01-01}\n  expected: {}\n", "a date has to stand in quotes"),
        ("tests: [", "line 1, column 9"),
        ("5", "it has to be a list of tests"),
    ],
)
def test_a_file_that_can_not_be_read_is_told_with_its_place(folder: Path, document: object, told: str) -> None:
    result = check(folder, document)

    assert result.exit_code == 1
    assert f"tests.yaml: {told}" in result.stderr
    assert "Traceback" not in result.output


def test_a_time_in_a_file_needs_no_quotes(folder: Path) -> None:
    text = "now: 2026-02-03T04:05:06Z\ntests:\n- {input: {}, expected: {title: Employee}}\n"

    assert check(folder, text).exit_code == 0


def test_an_expected_path_without_a_line_in_the_mapping_is_no_success(folder: Path) -> None:
    case = {"name": "silent", "input": {"userPrincipalName": "a@x"}, "expected": {"usrName": None}}

    result = check(folder, [case])

    assert result.exit_code == 1
    assert "expects usrName, for which the mapping has no line; did you mean userName?" in result.output


def test_a_test_that_can_not_be_read_is_told_once(folder: Path) -> None:
    result = check(folder, [{"name": "typo", "inputs": {}, "expected": {"userName": "a"}}])

    assert result.exit_code == 1
    assert "unknown field; did you mean input?" in result.output
    assert "too few items" not in result.output


@pytest.mark.parametrize(
    ("deprovisioning", "actions", "told"),
    [
        ({"onSourceDeleted": "Delete"}, None, ["spec.deprovisioning.deleteAfter"]),
        ({"onUnassigned": "Delete", "deleteAfter": "720h"}, ["Create", "Update"], ["spec.deprovisioning"]),
        ({"onSourceDeleted": "Delete", "deleteAfter": "720h"}, None, []),
        ({"onSourceDeleted": "Keep"}, ["Create", "Update"], []),
    ],
)
def test_a_delete_that_does_less_than_it_says_is_a_warning(
    tmp_path: Path, deprovisioning: dict[str, str], actions: list[str] | None, told: list[str]
) -> None:
    folder = tmp_path / "csv"
    copytree(Path(__file__).parents[3] / "examples" / "csv", folder)
    for file in folder.glob("*.yaml"):
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        for document in documents:
            if document["kind"] == "ProvisioningConnector":
                document["spec"]["deprovisioning"] = deprovisioning
            elif document["kind"] == "AttributeMapping" and actions is not None:
                document["spec"]["actions"] = actions
        file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")

    result = CliRunner().invoke(usher, ["validate", "-f", str(folder), "-o", "json"])

    assert result.exit_code == 0, result.output
    found = findings(result)
    assert [path for severity, path in found if "deprovisioning" in path and severity == "warning"] == told
