"""The people of the killed runs, in a file and in a directory: the same accounts come of both."""

from __future__ import annotations

from typing import Final

from directory.configuration import PEOPLE as BRANCH
from directory.configuration import READER
from directory.entries import Entry
from integration.cli.folders import Folder

PEOPLE: Final = [f"user{n:02}" for n in range(20)]

_SOURCE: Final = f"""\
apiVersion: provisioning.usher.dev/v1alpha1
kind: IdentitySource
metadata: {{name: directory}}
spec:
  ldap:
    url: URL
    bindDN: "{READER.dn}"
    secretRef: {{name: directory, key: password}}
    users: {{baseDN: "{BRANCH}", filter: (objectClass=inetOrgPerson), idAttribute: entryUUID}}
    pageSize: 7
    changes: ModifyTimestamp
"""
_SECRET: Final = f"""\
{{apiVersion: v1, kind: Secret, metadata: {{name: directory}}, stringData: {{password: "{READER.password}"}}}}
"""


def entries() -> list[Entry]:
    """All of them, for a directory."""
    return [_entry(name) for name in PEOPLE]


def _entry(name: str) -> Entry:
    login = f"{name}@example.com"
    words = {"uid": login, "cn": name, "sn": name, "displayName": name.title(), "title": "Engineer"}
    return Entry(
        f"uid={login},{BRANCH}",
        {"objectClass": ("inetOrgPerson",), **{key: (value,) for key, value in words.items()}},
    )


def come_from_a_file(folder: Folder) -> None:
    """The source of the folder is a CSV file with all of them."""
    folder.people(PEOPLE)


def come_from_a_directory(folder: Folder, url: str) -> None:
    """The source of the folder is the directory at that address."""
    folder.write("source.yaml", _SOURCE.replace("URL", url))
    folder.write("password.yaml", _SECRET)
