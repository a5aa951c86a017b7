"""The API server takes the examples as they are written, in the order in which kubectl sends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.fixtures import Cluster, Namespace

EXAMPLES = Path(__file__).parents[3] / "examples"


def documents(folder: Path) -> list[dict[str, Any]]:
    return [
        document
        for path in sorted(folder.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("example", ["quickstart", "ldap", "active-directory"])
def test_the_server_takes_every_manifest(
    cluster: Cluster, namespace: Namespace, crds: tuple[str, ...], example: str
) -> None:
    for document in documents(EXAMPLES / example):
        if document["kind"] == "Namespace":
            server: Cluster | Namespace = cluster
        else:
            server, document["metadata"]["namespace"] = namespace, namespace.name
        answer = server.kubectl("apply", "--dry-run=server", "-f", "-", input=yaml.safe_dump(document)).stdout
        assert f"/{document['metadata']['name']} created (server dry run)" in answer
