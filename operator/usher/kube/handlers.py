"""What kopf calls: thin, and without a decision. Every event goes to the observer; kopf writes to no object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import kopf
from kubernetes.aio.client.configuration import Configuration

from usher.api.names import GROUP, VERSION
from usher.kube.objects import OWN_KINDS, Kind
from usher.kube.observer import Observer

ERROR_BACKOFFS: Final = (1, 1, 2, 3, 5, 8, 13, 21, *[30] * 20)
"""Seconds between attempts while the API server is away: ten minutes, then the process ends and is started anew."""

Login = Callable[[], Awaitable[kopf.ConnectionInfo]]
Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the operator does when kopf says so."""

    login: Login
    start: Step
    stop: Step


def make_registry(observer: Observer, hooks: Hooks) -> kopf.OperatorRegistry:
    """All handlers, in a registry of their own."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry, retries=5, backoff=2)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await hooks.login()

    @kopf.on.startup(registry=registry)
    async def start(**_: Any) -> None:
        await hooks.start()

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await hooks.stop()

    for kind in OWN_KINDS:
        kopf.on.event(GROUP, VERSION, kind.plural, id=kind.plural, registry=registry)(_listener(observer, kind))
    config_maps = _listener(observer, Kind.CONFIG_MAP)
    kopf.on.event("", "v1", Kind.CONFIG_MAP.plural, id=Kind.CONFIG_MAP.plural, registry=registry)(config_maps)
    return registry


def _listener(observer: Observer, kind: Kind) -> Callable[..., Awaitable[None]]:
    async def listen(*, event: Any, **_: Any) -> None:
        observer.observe(kind, event)

    return listen


def make_settings() -> kopf.OperatorSettings:
    """How kopf shall watch: never deaf for long, and without any write, peering or scan of its own."""
    settings = kopf.OperatorSettings()
    settings.watching.inactivity_timeout = 70
    settings.watching.server_timeout = 600
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    settings.networking.connect_timeout = 10
    settings.networking.request_timeout = 60
    settings.networking.error_backoffs = ERROR_BACKOFFS
    settings.posting.enabled = False
    settings.posting.loggers = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.queueing.exit_timeout = 1
    settings.process.ultimate_exiting_timeout = 60
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
    return settings


async def connection_info(configuration: Configuration) -> kopf.ConnectionInfo:
    """The connection of a `kubernetes` configuration, as kopf wants it."""
    header = await configuration.get_api_key_with_prefix("BearerToken")
    scheme, _, token = str(header or "").partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        ca_data=None if configuration.ssl_ca_cert else configuration.ca_cert_data,
        insecure=not configuration.verify_ssl,
        username=configuration.username or None,
        password=configuration.password or None,
        scheme=scheme if token else None,
        token=token or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        proxy_url=configuration.proxy,
    )
