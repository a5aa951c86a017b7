"""The operator as a whole: opens what it needs, hands the event loop to kopf, and stops cleanly."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import kopf

from usher.assembly.ends import system_runtime
from usher.contracts.store import Store
from usher.core.errors import CycleError
from usher.engine.job import Ports
from usher.kube.cluster import KubernetesApi, load_configuration, open_client
from usher.kube.controller import Controller, Means
from usher.kube.handlers import Hooks, connection_info, make_registry, make_settings
from usher.kube.health import Health, serve_health
from usher.kube.log_stream import LogStream, streaming
from usher.kube.metrics import Metrics
from usher.kube.readapi.answering import Library
from usher.kube.readapi.opening import ReadApiOptions, open_read_api
from usher.kube.readapi.reviews import Reviewer
from usher.kube.readapi.server import Desk
from usher.kube.secrets import KubernetesData
from usher.state.places import Server
from usher.state.store import open_store, open_to_read
from usher.transport.addresses import operator_policy

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OperatorOptions:
    """How to run.

    `state_keys` is a folder of keys for what is personal in the state, None leaves it readable. `kubeconfig` None means
    the service account of this Pod; no `namespaces` means all of them. `listen` is where health and metrics are served.
    `allow_cidrs` and `allow_hosts` are what connectors may reach besides public addresses. No `read_api` serves none.
    With `log_stream` the provisioning log is on standard output as well, which names people.
    """

    state: Path | Server
    state_keys: Path | None = None
    kubeconfig: Path | None = None
    namespaces: tuple[str, ...] = ()
    listen: tuple[str, int] = ("0.0.0.0", 8080)  # noqa: S104 - the kubelet probes from outside of the Pod
    allow_cidrs: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    read_api: ReadApiOptions | None = None
    log_stream: bool = False


def run_operator(options: OperatorOptions) -> None:
    """Runs until SIGTERM or SIGINT. Raises ValueError for what is no network, UsherError when it can't start.

    The latter too when another process took the state over: only a new start can tell what is in it by then.
    """
    asyncio.run(serve(options))


async def serve(options: OperatorOptions, stop: asyncio.Event | None = None) -> None:
    """As `run_operator`, and until `stop` is set."""
    metrics, health = Metrics(), Health()
    stop = stop or asyncio.Event()
    async with _open_controller(options, metrics) as (controller, store):
        metrics.show(controller.queue, controller.observer.last_event)
        beating = asyncio.get_running_loop().create_task(health.run(metrics))
        taken = asyncio.get_running_loop().create_task(_stop_when_taken(store, stop))

        async def login() -> kopf.ConnectionInfo:
            return await connection_info(await load_configuration(options.kubeconfig))

        async def start() -> None:
            await controller.start()
            health.ready = True
            logger.info("the operator works")

        async def end() -> None:
            health.ready = False
            stop.set()
            await controller.stop()

        try:
            with serve_health(options.listen, health, metrics.registry):
                await kopf.operator(
                    registry=make_registry(controller.observer, Hooks(login, start, end)),
                    settings=make_settings(),
                    namespaces=options.namespaces,
                    clusterwide=not options.namespaces,
                    stop_flag=stop,
                )
        finally:
            beating.cancel()
            await controller.stop()
            was_taken = taken.done()
            taken.cancel()
        if was_taken:
            raise CycleError("another process has taken the state over: this one ends", reason="StateTaken")


async def _stop_when_taken(store: Store, stop: asyncio.Event) -> None:
    await store.until_taken()
    stop.set()


@asynccontextmanager
async def _open_controller(options: OperatorOptions, metrics: Metrics) -> AsyncIterator[tuple[Controller, Store]]:
    policy = operator_policy(options.allow_cidrs, options.allow_hosts)
    async with AsyncExitStack() as held:
        client = await held.enter_async_context(open_client(await load_configuration(options.kubeconfig)))
        store = await held.enter_async_context(open_store(options.state, options.state_keys))
        namespaces = options.namespaces or None
        api = KubernetesApi(client, namespaces)
        ports = Ports(store, system_runtime())
        controller = Controller(Means(api, KubernetesData(api), ports, policy, metrics, namespaces))
        if options.log_stream:
            follow = await held.enter_async_context(open_to_read(options.state, options.state_keys))
            await held.enter_async_context(streaming(LogStream(follow, store, sys.stdout)))
        if options.read_api is not None:
            read = await held.enter_async_context(open_to_read(options.state, options.state_keys))
            desk = Desk(
                Library(Ports(read, ports.runtime), controller.look, controller.prepare), Reviewer(api), metrics
            )
            await held.enter_async_context(open_read_api(options.read_api, api, desk))
        yield controller, store
