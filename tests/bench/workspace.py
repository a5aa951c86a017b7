"""Folders of manifests: one connector from a directory, or from a CSV file, into a sink."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from bench.sink import TOKEN
from directory.configuration import PEOPLE, READER
from directory.entries import Entry

API: Final = "provisioning.usher.dev/v1alpha1"
ID: Final = "entryUUID"
DOCUMENT: Final = "people.csv"
COLUMNS: Final = (
    "uid", "mail", "displayName", "givenName", "sn", "title", "telephoneNumber", "departmentNumber", "employeeNumber"
)  # fmt: skip
"""The attributes that go to the app. Both peers that read the directory take the same."""

_ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_MAPPING: Final[Sequence[Mapping[str, object]]] = (
    {"target": "userName", "source": "mail", "match": 1},
    {"target": "externalId", "source": "uid"},
    {"target": "active", "expression": 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'},
    {"target": "displayName", "source": "displayName"},
    {"target": "name.givenName", "source": "givenName"},
    {"target": "name.familyName", "source": "sn"},
    {"target": "title", "source": "title"},
    {"target": 'emails[type eq "work"].value', "source": "mail"},
    {"target": 'phoneNumbers[type eq "work"].value', "source": "telephoneNumber"},
    {"target": f"{_ENTERPRISE}:department", "source": "departmentNumber"},
    {"target": f"{_ENTERPRISE}:employeeNumber", "source": "employeeNumber"},
)


def write_directory(folder: Path, directory_url: str, target_url: str, changes: str = "ModifyTimestamp") -> Path:
    """A workspace whose source is a directory, read by its changes after the first time."""
    source = {
        "schedule": {"fullReadInterval": "12h"},
        "ldap": {
            "url": directory_url,
            "bindDN": READER.dn,
            "secretRef": {"name": "keys", "key": "directory"},
            "users": {"baseDN": PEOPLE, "filter": "(objectClass=inetOrgPerson)", "idAttribute": ID},
            "pageSize": 500,
            "changes": changes,
        },
    }
    return _write(folder, source, target_url)


def write_csv(folder: Path, people: Iterable[Entry], target_url: str) -> Path:
    """A workspace whose source is a CSV file with these people."""
    path = _write(folder, {"csv": {"file": DOCUMENT, "idColumn": ID}}, target_url)
    (folder / DOCUMENT).write_text(document(people), encoding="utf-8")
    return path


def document(people: Iterable[Entry]) -> str:
    """The people as CSV, with an id for each that does not depend on who else is there."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow((ID, *COLUMNS))
    for entry in people:
        cells = [str(entry.attributes.get(name, ("",))[0]) for name in COLUMNS]
        rows.writerow((f"5f0c8d0e-3c55-4c53-9a54-{int(entry.text('employeeNumber')):012}", *cells))
    return text.getvalue()


def _write(folder: Path, source: Mapping[str, object], target_url: str) -> Path:
    folder.mkdir(parents=True)
    bearer = {"bearer": {"secretRef": {"name": "keys", "key": "app"}}}
    connector = {
        "sourceRef": {"name": "people"},
        "target": {"scim": {"url": target_url, "auth": bearer}},
        "scope": {"include": "All"},
        "mappings": [{"name": "people"}],
        "safety": {"accounts": {"maxCount": 500, "maxPercent": 10, "minCount": 2}},
    }
    objects = [
        _object("ProvisioningConnector", connector),
        _object("IdentitySource", source),
        _object("AttributeMapping", {"attributes": list(_MAPPING)}),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "keys"},
            "stringData": {"app": TOKEN, "directory": READER.password},
        },
    ]
    (folder / "manifests.yaml").write_text(yaml.safe_dump_all(objects, sort_keys=False), encoding="utf-8")
    return folder


def _object(kind: str, spec: Mapping[str, object]) -> dict[str, object]:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": "people"}, "spec": spec}
