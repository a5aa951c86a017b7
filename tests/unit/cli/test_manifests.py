"""ConfigMaps and Secrets beside our objects, and what happens to objects that can't be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from usher.cli.documents import Locations
from usher.cli.manifests import Manifests, load_manifests
from usher.cli.secrets import FileSecrets
from usher.contracts.runtime import SecretRef
from usher.core.errors import CycleError


def load(folder: Path, *objects: dict[str, Any]) -> Manifests:
    for number, each in enumerate(objects):
        (folder / f"{number}.json").write_text(json.dumps(each), encoding="utf-8")
    return load_manifests(Locations((folder,)))


def data(kind: str, name: str = "x", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


async def test_values_are_decoded_as_the_api_server_does(tmp_path: Path) -> None:
    secret = data("Secret", data={"a": "aGVs\nbG8=", "b": "eA=="}, stringData={"b": "plain"})
    config_map = data("ConfigMap", data={"a": "ä"}, binaryData={"b": "/w=="})
    secrets = FileSecrets(load(tmp_path, secret, config_map), "default", tmp_path)

    assert await secrets.read(SecretRef("Secret", "x", "a")) == b"hello"
    assert await secrets.read(SecretRef("Secret", "x", "b")) == b"plain"
    assert await secrets.read(SecretRef("ConfigMap", "x", "a")) == "ä".encode()
    assert await secrets.read(SecretRef("ConfigMap", "x", "b")) == b"\xff"


@pytest.mark.parametrize(
    ("ref", "reason", "told"),
    [
        (SecretRef("Secret", "y", "a"), "SecretNotFound", "no Secret/y in namespace default"),
        (SecretRef("ConfigMap", "y", "a"), "ConfigMapNotFound", "no ConfigMap/y in namespace default"),
        (SecretRef("Secret", "x", "b"), "KeyNotFound", "Secret/x has no key b; it has: a"),
        (SecretRef("File", "none.csv", ""), "FileNotFound", "none.csv can't be read: it does not exist"),
        (SecretRef("File", ".", ""), "FileNotFound", "it is no file"),
    ],
)
async def test_what_is_missing_is_told_by_object_and_key(
    tmp_path: Path, ref: SecretRef, reason: str, told: str
) -> None:
    secrets = FileSecrets(load(tmp_path, data("Secret", stringData={"a": "hidden"})), "default", tmp_path)

    with pytest.raises(CycleError) as caught:
        await secrets.read(ref)

    assert caught.value.reason == reason
    assert told in str(caught.value)
    assert "hidden" not in str(caught.value)


async def test_an_object_of_another_namespace_is_not_found(tmp_path: Path) -> None:
    secrets = FileSecrets(load(tmp_path, data("Secret", stringData={"a": "1"})), "other", tmp_path)

    with pytest.raises(CycleError, match="namespace other"):
        await secrets.read(SecretRef("Secret", "x", "a"))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (data("Secret", data={"a": "not base64!"}), "Secret/x data.a: must be base64"),
        (data("Secret", stringData={"a": 1}), "Secret/x stringData.a: must be text"),
        (data("ConfigMap", data=["a"]), "ConfigMap/x data: must be an object"),
        (data("ConfigMap", data={"a": "x" * (1024 * 1024 + 1)}), "larger than 1 MiB"),
        (data("Secret", name="A B"), "Secret metadata.name: needs a name"),
        ({"apiVersion": "v1", "kind": "Secret"}, "Secret metadata.name: needs a name"),
        ({"kind": "Secret"}, "without apiVersion and kind"),
    ],
)
def test_an_object_that_no_cluster_would_take_is_an_error(tmp_path: Path, broken: dict[str, Any], told: str) -> None:
    manifests = load(tmp_path, broken)

    assert [told in str(finding) for finding in manifests.findings] == [True]
    assert not manifests.data
    assert "not base64" not in str(manifests.findings[0])


def test_of_two_objects_of_one_name_neither_is_used(tmp_path: Path) -> None:
    manifests = load(tmp_path, data("Secret", stringData={"a": "1"}), data("Secret", stringData={"a": "2"}))

    assert not manifests.data
    assert ("Secret", "default/x") in manifests.broken
    assert str(manifests.findings[0]).startswith(f"{tmp_path / '1.json'}: Secret/x: stands here and in {tmp_path}")


def test_other_kinds_are_ignored_and_noted_in_one_line(tmp_path: Path) -> None:
    objects = [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"web{n}"}} for n in range(7)]
    manifests = load(tmp_path, *objects)

    assert manifests.findings == []
    assert f"Deployment/web0 ({tmp_path / '0.json'})" in manifests.note
    assert manifests.note.endswith("and 2 more")
    assert "web5" not in manifests.note


@pytest.mark.parametrize("kind", ["Namespace", "ServiceAccount", "Role", "RoleBinding"])
def test_what_usually_stands_beside_ours_is_ignored_without_a_word(tmp_path: Path, kind: str) -> None:
    manifests = load(tmp_path, {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}})

    assert (manifests.findings, manifests.note) == ([], "")


def test_an_unknown_kind_of_our_group_is_an_error(tmp_path: Path) -> None:
    wrong = {"apiVersion": "provisioning.usher.dev/v1alpha1", "kind": "Namespace", "metadata": {"name": "x"}}

    manifests = load(tmp_path, wrong)

    assert [finding.is_error for finding in manifests.findings] == [True]
    assert manifests.note == ""


def test_a_secret_shows_its_values_to_nobody(tmp_path: Path) -> None:
    manifests = load(tmp_path, data("Secret", stringData={"a": "hunter2"}))

    assert "hunter2" not in repr(manifests)
