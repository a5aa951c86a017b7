"""The command line with a directory as its source."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from directory.configuration import GROUPS, PEOPLE, READER, Settings
from directory.entries import Entry
from directory.population import groups, people
from directory.slapd import Slapd
from integration.cli.folders import Folder
from usher.testing.hostile_server import HostileServer

COUNT = 40


@pytest.fixture(scope="module")
def everybody() -> list[Entry]:
    return people(COUNT)


@pytest.fixture
def own_directory(tmp_path: Path, everybody: list[Entry]) -> Iterator[Slapd]:
    slapd = Slapd(tmp_path / "slapd", Settings())
    try:
        slapd.load([*everybody, *groups(3, everybody)])
        slapd.start()
        yield slapd
    finally:
        slapd.close()
        shutil.rmtree(slapd.folder)


def source(url: str, **users: str) -> str:
    named = ", ".join(f'{name}: "{value}"' for name, value in {"baseDN": PEOPLE, **users}.items())
    return f"""\
apiVersion: provisioning.usher.dev/v1alpha1
kind: IdentitySource
metadata: {{name: directory}}
spec:
  ldap:
    url: {url}
    bindDN: {READER.dn}
    secretRef: {{name: ldap, key: password}}
    users: {{{named}}}
    groups: {{baseDN: "{GROUPS}"}}
"""


PASSWORD = f"{{apiVersion: v1, kind: Secret, metadata: {{name: ldap}}, stringData: {{password: {READER.password}}}}}"


def with_directory(folder: Folder, url: str, **users: str) -> Folder:
    folder.write("source.yaml", source(url, **users))
    folder.write("password.yaml", PASSWORD)
    return folder


def test_a_sync_from_a_directory_gives_everybody_an_account_and_a_second_one_writes_nothing(
    folder: Folder, app: HostileServer, own_directory: Slapd, everybody: list[Entry]
) -> None:
    with_directory(folder, own_directory.url)

    assert folder.run("validate").exit_code == 0
    first = folder.sync()
    names = {str(account.document["userName"]) for account in app.app.accounts.values()}
    again = folder.data("sync")

    assert first.exit_code == 0, first.output
    assert names == {one.text("uid") for one in everybody}
    assert (again["result"], again["counts"]["created"], again["counts"]["updated"]) == ("Succeeded", 0, 0)


def test_a_leaver_of_a_directory_is_disabled_by_the_next_sync(
    folder: Folder, app: HostileServer, own_directory: Slapd, everybody: list[Entry]
) -> None:
    """The second read is a whole one, by modifyTimestamp as by anything else."""
    with_directory(folder, own_directory.url)
    folder.sync()
    own_directory.delete(everybody[9].dn)

    folder.sync()

    active = {str(one.document["userName"]): one.document.get("active") for one in app.app.accounts.values()}
    assert [name for name, value in active.items() if value is False] == [everybody[9].text("uid")]


@pytest.mark.parametrize(
    ("users", "place", "told"),
    [
        ({"baseDN": "ou=nobody,dc=example,dc=com"}, "spec.ldap.users.baseDN", "no such entry"),
        ({"filter": "(uid=a"}, "spec.ldap.users.filter", "search filter in parentheses"),
        ({"filter": "(&(uid=a)"}, "spec.ldap.users.filter", "no search filter"),
        ({"filter": "(uid=nobody)"}, "spec.minRetained", "it is empty"),
    ],
)
def test_a_branch_that_can_not_be_read_is_told_with_its_field(
    folder: Folder, own_directory: Slapd, users: dict[str, str], place: str, told: str
) -> None:
    with_directory(folder, own_directory.url, **users)

    result = folder.sync()

    assert result.exit_code in (1, 4)
    assert "source.yaml: IdentitySource/directory " + place in result.output
    assert told in result.output


def test_an_attribute_that_the_directory_does_not_know_is_told_with_its_place(
    folder: Folder, own_directory: Slapd
) -> None:
    with_directory(folder, own_directory.url)
    folder.change("mapping.yaml", "source: jobTitle", "source: jobTitel")

    result = folder.sync()

    assert result.exit_code == 1
    assert (
        "AttributeMapping/people spec.attributes[3].source: IdentitySource/directory has no attribute jobTitel"
        in result.output
    )


@pytest.mark.parametrize(
    ("url", "severity", "told"),
    [
        ("ldap://8.8.8.8", "error: ", "ldap:// would show our password to everybody"),
        ("ldaps://169.254.169.254", "error: ", "never reached"),
        ("ldap://ldap.example.com", "warning: ", "Use ldaps://, or set startTLS: true"),
        ("ldaps://ldap.example.com", "", ""),
    ],
)
def test_validate_asks_no_directory_and_tells_what_its_address_says(
    folder: Folder, url: str, severity: str, told: str
) -> None:
    with_directory(folder, url)

    result = folder.run("validate")

    assert result.exit_code == (1 if severity == "error: " else 0)
    shown = [line for line in result.output.splitlines() if "spec.ldap.url" in line]
    assert bool(shown) == bool(severity)
    assert all(line.startswith(severity) and told in line for line in shown), result.output
