"""Where the read API is and how it is known, told in a ConfigMap: who may read that needs to know nothing else.

Only the operator (and whoever rules its namespace) can write it, so its authority may be trusted as far as the API
server is.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from usher.core.errors import UsherError
from usher.kube.cluster import FIELD_MANAGER, ClusterError, KubernetesApi
from usher.kube.readapi.identity import Identity, load, make_identity, read_identity
from usher.kube.readapi.names import CA, POD, PORT, Place

EVERY: Final = 60.0
"""Seconds between two looks at a given certificate, and between attempts to tell."""
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Badge:
    """The certificate that is shown now. `folder` is where a given one is, None for one that is made."""

    host: str
    folder: Path | None
    context: ssl.SSLContext
    identity: Identity

    @classmethod
    def begin(cls, host: str, folder: Path | None) -> Badge:
        """Raises UsherError for a given certificate that can't be used."""
        identity = make_identity(host) if folder is None else read_identity(folder, host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        load(context, identity)
        return cls(host, folder, context, identity)

    def renew(self) -> None:
        """Shows the given certificate as it is now. Raises UsherError, and shows the former one then."""
        if self.folder is None:
            return
        found = read_identity(self.folder, self.host)
        if found != self.identity:
            load(self.context, found)
            self.identity = found


@dataclass(frozen=True, slots=True)
class Notice:
    """Tells it, and again when something of it changes."""

    api: KubernetesApi
    place: Place
    pod: str
    port: int

    async def keep_up(self, badge: Badge) -> None:
        """Until it is cancelled; what fails is logged, and tried again."""
        told = b""
        while True:
            try:
                await asyncio.to_thread(badge.renew)
                if told != badge.identity.authority:
                    await self._tell(badge.identity.authority)
                    told = badge.identity.authority
            except (UsherError, ClusterError) as error:
                fields = {"configMap": str(self.place), "reason": error.reason, "error": error.message}
                logger.warning("the read API is not announced", extra={"fields": fields})
            await asyncio.sleep(EVERY)

    async def _tell(self, authority: bytes) -> None:
        namespace, name = self.place.namespace, self.place.name
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"namespace": namespace, "name": name},
            "data": {CA: authority.decode("ascii"), POD: self.pod, PORT: str(self.port)},
        }
        query = [("fieldManager", FIELD_MANAGER), ("force", "true")]
        await self.api.call("PATCH", f"/api/v1/namespaces/{namespace}/configmaps/{name}", query=query, body=body)
