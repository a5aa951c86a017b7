"""The manifests of the LDAP example, and of its variant for Active Directory, are complete and fit together."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from directory.configuration import GROUPS, PEOPLE, READER
from usher.api.manifests import parse_manifest
from usher.api.v1alpha1.kinds import IdentitySource
from usher.api.v1alpha1.sources.ldap import LdapSource
from usher.cli.main import usher

EXAMPLES = Path(__file__).parents[3] / "examples"
AUTHORITY = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "directory-ca", "namespace": "identity"},
    "data": {"ca.crt": "kubectl makes this one"},
}


@pytest.fixture(params=["ldap", "active-directory"])
def manifests(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy as the page tells to make one: the source of the variant takes the place of the other."""
    copy = tmp_path / "my-app"
    shutil.copytree(EXAMPLES / "ldap", copy)
    shutil.copyfile(EXAMPLES / request.param / "source.yaml", copy / "source.yaml")
    return copy


def validate(folder: Path) -> Result:
    return CliRunner().invoke(usher, ["validate", "-f", str(folder)])


def ldap_of(folder: Path) -> LdapSource:
    source = parse_manifest(yaml.safe_load((folder / "source.yaml").read_text(encoding="utf-8")))
    assert isinstance(source, IdentitySource)
    assert source.spec.ldap is not None
    return source.spec.ldap


def test_all_that_is_missing_is_the_certificate_authority(manifests: Path) -> None:
    result = validate(manifests)

    assert result.exit_code == 0, result.output
    assert "0 errors, 1 warnings" in result.output
    assert "spec.ldap.caRef: there is no ConfigMap/directory-ca" in result.output


def test_with_the_authority_nothing_is_missing(manifests: Path) -> None:
    (manifests / "ca.yaml").write_text(yaml.safe_dump(AUTHORITY), encoding="utf-8")

    result = validate(manifests)

    assert result.exit_code == 0, result.output
    assert "7 objects: 0 errors, 0 warnings" in result.output


def test_everything_is_in_the_namespace_that_is_made_first(manifests: Path) -> None:
    found: list[dict[str, Any]] = [
        document
        for path in sorted(manifests.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]
    assert found[0]["kind"] == "Namespace"
    assert {each["metadata"]["namespace"] for each in found[1:]} == {found[0]["metadata"]["name"]}


def test_the_connection_is_encrypted(manifests: Path) -> None:
    assert ldap_of(manifests).url.startswith("ldaps://")
    assert ldap_of(manifests).ca_ref is not None


def test_the_demo_puts_the_example_on_its_own_directory_by_changing_addresses_and_secrets_alone() -> None:
    ldap = ldap_of(EXAMPLES / "ldap")
    assert ldap.groups is not None
    assert (ldap.bind_dn, ldap.users.base_dn, ldap.groups.base_dn) == (READER.dn, PEOPLE, GROUPS)
