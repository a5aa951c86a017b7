"""How long what is known is kept after the object that it is about is gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from usher.core.model.resources import ConnectorKey, SourceKey


class RetentionStore(Protocol):
    """Rows are found by namespace and name; the UID tells one object of a name from the next."""

    async def attach(self, connector: ConnectorKey, uid: str, at: datetime) -> None:
        """From here on this object is the connector; another one that was is retired, and its word of approval gone.

        So who is deleted and made anew within the retention finds its links, and looks at everybody once more.
        """

    async def active_connectors(self) -> Sequence[ConnectorKey]:
        """All that consume and are not retired."""

    async def retire(self, connector: ConnectorKey, at: datetime) -> None:
        """The connector was deleted: its links own nothing any more, and are dropped by `sweep` after the retention."""

    async def forget(self, connector: ConnectorKey) -> None:
        """Drops everything that is known of the connector."""

    async def sources(self) -> Sequence[SourceKey]:
        """All of which something was read."""

    async def note_absent(self, sources: Collection[SourceKey], at: datetime) -> None:
        """These are gone, since `at` or since it was first said; all others are there."""

    async def sweep(self, before: datetime) -> int:
        """Drops what is known of connectors retired, and sources gone, before that time; discoveries older than it.

        Returns how many connectors. What the provisioning log says of them stays: `trim_log` drops it in its time.
        """

    async def trim_log(self, before: datetime) -> None:
        """Drops entries of the provisioning log that are older."""
