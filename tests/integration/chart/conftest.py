"""The chart, rendered and installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from cluster.fixtures import Cluster, Namespace

CHART = Path(__file__).parents[3] / "charts" / "usher"

Document: TypeAlias = dict[str, Any]
Render: TypeAlias = Callable[..., list[Document]]
Install: TypeAlias = Callable[..., str]


@pytest.fixture
def render(cluster: Cluster) -> Render:
    """Renders the chart as release `usher` in namespace `usher-system` with these options of helm."""

    def rendered(*options: str) -> list[Document]:
        text = cluster.helm(
            "template", "usher", str(CHART), "--namespace=usher-system", "--kube-version=1.30.0", *options
        ).stdout
        return [document for document in yaml.safe_load_all(text) if document]

    return rendered


@pytest.fixture
def install(namespace: Namespace, crds: tuple[str, ...]) -> Iterator[Install]:
    """Installs the chart into the namespace; gives the user name of its service account.

    The definitions are there already: they are everybody's, and no release of one test may take them along.
    """
    release = f"usher-{namespace.name}"

    def installed(*options: str) -> str:
        namespace.helm("upgrade", "--install", release, str(CHART), "--set=crds.install=false", *options)
        return f"system:serviceaccount:{namespace.name}:{release}"

    yield installed
    namespace.helm("uninstall", release, "--ignore-not-found")
