"""Manifests are read as kubectl reads them, and hostile ones are refused before they cost anything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from usher.cli.documents import MAX_FILE, Locations, parse_text, read_documents


def names(path: Path, *, recursive: bool = False) -> list[str]:
    reading = read_documents(Locations((path,), recursive))
    assert reading.findings == []
    return [document.content["metadata"]["name"] for document in reading.documents]


def thing(name: str) -> str:
    return f"{{apiVersion: v1, kind: Thing, metadata: {{name: {name}}}}}\n"


def test_a_folder_gives_its_yaml_and_json_files_in_order_and_not_those_of_folders_in_it(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(f"{thing('b1')}---\n---\n{thing('b2')}", encoding="utf-8")
    (tmp_path / "a.yml").write_text(thing("a"), encoding="utf-8")
    (tmp_path / "c.json").write_text('{"apiVersion": "v1", "kind": "Thing",\t"metadata": {"name": "c"}}', "utf-8")
    (tmp_path / "d.txt").write_text(thing("d"), encoding="utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "e.yaml").write_text(thing("e"), encoding="utf-8")

    assert names(tmp_path) == ["a", "b1", "b2", "c"]
    assert names(tmp_path, recursive=True) == ["a", "b1", "b2", "c", "e"]
    assert names(tmp_path / "a.yml") == ["a"]


def test_a_list_gives_its_items_in_order(tmp_path: Path) -> None:
    items = [{"apiVersion": "v1", "kind": "Thing", "metadata": {"name": name}} for name in ("x", "y")]
    (tmp_path / "list.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), "utf-8")

    assert names(tmp_path) == ["x", "y"]


def bomb(merge: str) -> str:
    """Nine lines that stand for a billion values."""
    lines = ["a: &a {k: 1}" if merge else "a: &a [1, 2]"]
    for former, name in zip("abcdefgh", "bcdefghi", strict=True):
        many = ", ".join([f"*{former}"] * 10)
        lines.append(f"{name}: &{name} " + (f"{{<<: [{many}]}}" if merge else f"[{many}]"))
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(bomb(""), "more than 200000 values", id="aliases that multiply"),
        pytest.param(bomb("<<"), "more than 200000 values", id="merges that multiply"),
        pytest.param("a: &a [*a]", "an alias inside of what it stands for", id="an alias of itself"),
        pytest.param("[" * 100_000, "more than 64 levels", id="a hundred thousand levels"),
        pytest.param("[" * 70 + "]" * 70, "more than 64 levels", id="seventy levels"),
        pytest.param("a: 1\na: 2", "line 2, column 1: this is no YAML: the key 'a' stands twice", id="a key twice"),
        pytest.param("a: !!python/object/apply:os.system [ls]", "could not determine a constructor", id="code"),
        pytest.param("a: 2023-99-99", "a value can't be read", id="a date that does not exist"),
        pytest.param("a: " + "9" * 5_000, "a value can't be read", id="a number without end"),
        pytest.param("a: [", "line 1", id="half a document"),
    ],
)
def test_what_is_no_document_is_told_and_costs_nothing(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_text(text.encode(), name="x.yaml")


def test_half_of_a_password_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="in quotes") as caught:
        parse_text(b"token: *hunter2", name="x.yaml")

    assert "hunter2" not in str(caught.value)


def test_an_alias_and_a_merge_of_reasonable_size_are_taken() -> None:
    text = b"base: &base {a: 1}\nboth: [*base, *base]\nmore: {<<: *base, b: 2}"

    assert parse_text(text, name="x.yaml") == {
        "base": {"a": 1},
        "both": [{"a": 1}, {"a": 1}],
        "more": {"a": 1, "b": 2},
    }


def test_a_file_that_is_too_large_is_a_finding_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_bytes(b"#" * (MAX_FILE + 1))
    (tmp_path / "small.yaml").write_text(thing("small"), encoding="utf-8")

    reading = read_documents(Locations((tmp_path,)))

    assert [str(finding) for finding in reading.findings] == [
        f"{tmp_path / 'big.yaml'}: larger than 16 MiB: name a large CSV with spec.csv.file instead"
    ]
    assert len(reading.documents) == 1
