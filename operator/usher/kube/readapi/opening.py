"""The operator's end of the read API as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from usher.kube.cluster import KubernetesApi
from usher.kube.readapi.names import Place
from usher.kube.readapi.notice import Badge, Notice
from usher.kube.readapi.server import Desk, serve


@dataclass(frozen=True, slots=True)
class ReadApiOptions:
    """How to serve it.

    `place` is the ConfigMap in which it is told how it is reached: a port of `pod`, the Pod that this process runs in.
    `certificate` is a folder with one, None makes one.
    """

    address: tuple[str, int]
    place: Place
    pod: str
    certificate: Path | None = None


@asynccontextmanager
async def open_read_api(options: ReadApiOptions, api: KubernetesApi, desk: Desk) -> AsyncIterator[int]:
    """Serves until left, and tells where; gives the port. Raises UsherError for an address or a certificate."""
    badge = Badge.begin(options.place.host, options.certificate)
    async with serve(options.address, badge.context, desk) as port:
        telling = asyncio.get_running_loop().create_task(Notice(api, options.place, options.pod, port).keep_up(badge))
        try:
            yield port
        finally:
            telling.cancel()
