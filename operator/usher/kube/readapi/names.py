"""What both ends of the read API have to agree upon."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from usher.api.names import GROUP, VERSION
from usher.api.v1alpha1.kinds import CONNECTOR

AUDIENCE: Final = f"read-api.{GROUP}"
"""Of tokens that are good for nothing else."""
PAGE: Final = 500
"""Lines or links in one answer."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of one answer."""
CA, POD, PORT = "ca.crt", "pod", "port"
"""The keys of the notice: the ConfigMap that says how the read API is reached, and how it is known."""


class Question(StrEnum):
    """What is asked about a connector: the subresource that a role names."""

    LOGS = "logs"
    EXPLAIN = "explain"
    LINKS = "links"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Place:
    """The notice, which is called as the Service of the read API."""

    namespace: str
    name: str

    @property
    def host(self) -> str:
        """The name in the certificate."""
        return f"{self.name}.{self.namespace}.svc"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def path_of(namespace: str, name: str, question: str) -> str:
    """Of the URL of a question; as the API server's own paths are made."""
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{CONNECTOR.plural}/{name}/{question}"


ROUTE: Final = re.compile(path_of("([a-z0-9-]{1,63})", "([a-z0-9.-]{1,253})", "([a-z]+)"))
"""Namespace, name and question of a path."""
