"""The API server takes the quickstart as it is written, in the order in which kubectl sends it."""

from __future__ import annotations

from pathlib import Path

import yaml

from cluster.fixtures import Cluster, Namespace

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"


def test_the_server_takes_every_manifest_of_the_quickstart(
    cluster: Cluster, namespace: Namespace, crds: tuple[str, ...]
) -> None:
    taken = cluster.kubectl("apply", "--dry-run=server", "-f", str(QUICKSTART / "00-namespace.yaml")).stdout
    assert taken.startswith("namespace/quickstart created")

    documents = [
        document
        for path in sorted(QUICKSTART.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if document["kind"] != "Namespace"
    ]
    for document in documents:
        document["metadata"]["namespace"] = namespace.name
        answer = namespace.kubectl("apply", "--dry-run=server", "-f", "-", input=yaml.safe_dump(document)).stdout
        assert f"/{document['metadata']['name']} created (server dry run)" in answer
