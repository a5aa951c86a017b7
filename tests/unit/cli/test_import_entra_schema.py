"""`usher import-entra-schema`: where it writes, in which form, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from usher.cli.main import usher

GOLDEN = Path(__file__).parents[2] / "golden" / "entra"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(usher, ["import-entra-schema", *arguments])


@pytest.fixture
def export() -> str:
    return str(GOLDEN / "parameters_only.json")


def test_a_folder_gets_a_file_for_each_manifest_and_standard_output_nothing(export: str, tmp_path: Path) -> None:
    result = run(export, "--output-dir", str(tmp_path / "new" / "folder"))

    written = sorted((tmp_path / "new" / "folder").iterdir())
    assert (result.exit_code, result.stdout) == (0, "")
    assert [file.name for file in written] == ["contoso-hr-prod-users-2.yaml", "contoso-hr-prod-users.yaml"]
    assert [yaml.safe_load(file.read_text(encoding="utf-8"))["metadata"]["name"] for file in written] == [
        file.stem for file in written
    ]
    assert "2 files written" in result.stderr


def test_what_is_there_is_not_written_over(export: str, tmp_path: Path) -> None:
    (tmp_path / "contoso-hr-prod-users-2.yaml").write_text("edited", encoding="utf-8")

    result = run(export, "--output-dir", str(tmp_path))

    assert result.exit_code == 1
    assert "is there already" in result.stderr
    assert [file.read_text(encoding="utf-8") for file in tmp_path.iterdir()] == ["edited"]


def test_a_folder_that_can_not_be_made_is_an_error(export: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    result = run(export, "--output-dir", str(tmp_path / "file" / "inner"))

    assert result.exit_code == 1
    assert "can't be written" in result.stderr


def test_programs_get_manifests_and_findings_as_data(export: str) -> None:
    result = run(export, "-o", "json")

    data = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [manifest["kind"] for manifest in data["manifests"]] == ["AttributeMapping"] * 2
    assert {finding["object"] for finding in data["findings"]} == {
        "",
        "AttributeMapping/contoso-hr-prod-users",
        "AttributeMapping/contoso-hr-prod-users-2",
    }
    assert {finding["severity"] for finding in data["findings"]} == {"warning"}


def test_a_review_gets_manifests_and_a_table_of_findings(export: str) -> None:
    result = run(export, "-o", "markdown")

    assert result.stdout.startswith("## 2 manifests, ")
    assert "| object | path | message |" in result.stdout


def test_what_is_no_export_ends_with_1_and_names_file_and_place(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text('{"synchronizationRules": [7]}', encoding="utf-8")

    result = run(str(file))

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{file}: synchronizationRules[0]: expected an object, found a number" in result.stderr


def test_an_export_of_which_nothing_can_be_written_ends_with_1_and_says_why(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    contacts = {"sourceObjectName": "Contact", "targetObjectName": "User", "attributeMappings": []}
    file.write_text(json.dumps({"synchronizationRules": [{"objectMappings": [contacts]}]}), encoding="utf-8")

    result = run(str(file))

    assert (result.exit_code, result.stdout) == (1, "")
    assert "Usher makes Users of Users and Groups of Groups" in result.stderr
    assert "nothing of it could be written" in result.stderr


def test_wrong_usage_ends_with_2(tmp_path: Path) -> None:
    assert run().exit_code == 2
    assert run(str(tmp_path / "nowhere.json")).exit_code == 2
    assert run(str(tmp_path)).exit_code == 2
