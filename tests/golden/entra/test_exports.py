"""Whole exports, in the form that Microsoft Graph documents, and what becomes of them.

After a change that is meant: `usher import-entra-schema NAME.json > NAME.yaml 2> NAME.findings.txt` in this folder.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from usher.api.manifests import parse_manifest
from usher.cli.documents import Locations
from usher.cli.main import usher
from usher.cli.manifests import load_manifests

HERE = Path(__file__).parent
EXPORTS = sorted(path.stem for path in HERE.glob("*.json"))


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_becomes_these_manifests_and_these_findings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)

    result = CliRunner().invoke(usher, ["import-entra-schema", f"{name}.json"])

    assert result.stdout == (HERE / f"{name}.yaml").read_text(encoding="utf-8")
    assert result.stderr == (HERE / f"{name}.findings.txt").read_text(encoding="utf-8")
    assert result.exit_code == 0


@pytest.mark.parametrize("name", EXPORTS)
def test_what_is_written_is_accepted_and_says_the_same_as_the_data_for_programs(name: str) -> None:
    written = list(yaml.safe_load_all((HERE / f"{name}.yaml").read_text(encoding="utf-8")))
    shown = CliRunner().invoke(usher, ["import-entra-schema", str(HERE / f"{name}.json"), "-o", "json"])

    assert json.loads(shown.stdout)["manifests"] == written
    assert [parse_manifest(document).names.kind for document in written] == ["AttributeMapping"] * len(written)
    assert load_manifests(Locations((HERE / f"{name}.yaml",))).findings == []
    assert CliRunner().invoke(usher, ["validate", "-f", str(HERE / f"{name}.yaml")]).exit_code == 0
