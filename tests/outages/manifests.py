"""The example of a directory, as a user would edit it for this world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import yaml

from directory.configuration import READER
from machine.commit import ROOT
from outages.company import IN_SCOPE

CONNECTOR: Final = "pconn/app"
SOURCE: Final = "idsrc/directory"
_EXAMPLE: Final = ROOT / "examples" / "ldap"
_FILES: Final = ("source", "mapping", "groups", "secrets", "connector")
_CYCLES_EVERY: Final = "15s"


@dataclass(frozen=True, slots=True)
class Ends:
    """Ports of 127.0.0.1, what vouches for the directory (PEM), and the token of the app."""

    directory: int
    authority: str
    app: int
    token: str


def manifests(ends: Ends) -> list[dict[str, Any]]:
    """All objects, without a namespace."""
    documents = [one for name in _FILES for one in yaml.safe_load_all((_EXAMPLE / f"{name}.yaml").read_text("utf-8"))]
    for document in documents:
        del document["metadata"]["namespace"]
        _edit(document, ends)
    authority = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "directory-ca"}}
    return [{**authority, "data": {"ca.crt": ends.authority}}, *documents]


def _edit(document: dict[str, Any], ends: Ends) -> None:
    match document["kind"], document["metadata"]["name"]:
        case "IdentitySource", _:
            document["spec"]["ldap"]["url"] = f"ldaps://127.0.0.1:{ends.directory}"
            document["spec"]["ldap"]["users"]["filter"] = IN_SCOPE
        case "ProvisioningConnector", _:
            document["spec"]["target"]["scim"]["url"] = f"http://127.0.0.1:{ends.app}/v2"
            document["spec"]["schedule"] = {"interval": _CYCLES_EVERY}
        case "Secret", "directory-account":
            document["stringData"]["password"] = READER.password
        case "Secret", "app-token":
            document["stringData"]["token"] = ends.token
        case _:
            pass  # the mappings are right as they are
