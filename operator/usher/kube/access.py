"""The way to a cluster, as kubectl finds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_kube_config
from kubernetes.aio.config.kube_config import list_kube_config_contexts

from usher.core.errors import UsherError

TIMEOUT: Final = 20.0
"""Seconds that one call may take."""


@dataclass(frozen=True, slots=True)
class Access:
    """Which cluster, as kubectl takes it: None means KUBECONFIG, the current context, and its namespace."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None


class VerbError(UsherError):
    """The cluster can't be reached, refuses the call, or has nothing of that name."""


async def configuration_of(access: Access) -> tuple[Configuration, str]:
    """The connection, and the namespace that is meant. Raises VerbError."""
    file = None if access.kubeconfig is None else str(access.kubeconfig)
    configuration = Configuration()
    try:
        contexts, current = list_kube_config_contexts(file)  # type: ignore[no-untyped-call]  # it has no types
        await load_kube_config(  # type: ignore[no-untyped-call]  # nor has this
            file, access.context, client_configuration=configuration, persist_config=False
        )
    except (ConfigException, OSError, ValueError, TypeError) as error:
        where = file or "KUBECONFIG, or ~/.kube/config"
        context = f" with a context {access.context}" if access.context else ""
        message = f"no usable kubeconfig{context} ({where}): name one with --kubeconfig"
        raise VerbError(message, reason="ClusterUnreachable") from error
    chosen = next((each for each in contexts if each["name"] == access.context), current)
    return configuration, access.namespace or chosen["context"].get("namespace") or "default"


def unreachable(configuration: Configuration, error: Exception) -> VerbError:
    """Nobody answers at the address of the kubeconfig."""
    message = f"the API server {configuration.host} does not answer ({type(error).__name__})"
    return VerbError(message, reason="ClusterUnreachable")
