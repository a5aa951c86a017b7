"""The operator of a cluster, for the commands that show what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import click

from usher.answers.log import LogLine, LogPage
from usher.contracts.log import LogQuery

if TYPE_CHECKING:  # kube takes a second to import, which commands for files don't wait for
    from usher.kube.readapi.client import Visitor

T = TypeVar("T")
Connector: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ClusterOrigin:
    """Origin of answers of the read API; its pages are put together."""

    kubeconfig: Path | None
    context: str | None
    namespace: str | None
    read_api: str
    service_account: str | None

    def log(self, name: str, query: LogQuery, limit: int) -> LogPage:
        """As `Origin`."""
        from usher.kube.readapi.names import PAGE, Question  # noqa: PLC0415 - kube takes a second
        from usher.kube.readapi.params import LogParams  # noqa: PLC0415 - kube takes a second

        async def read(visitor: Visitor, connector: Connector) -> LogPage:
            found, before = list[LogLine](), query.before
            while True:
                size = min(PAGE, max(1, limit - len(found)))
                params = LogParams.of(replace(query, before=before), size).query()
                page = LogPage.model_validate_json(await visitor.ask(Question.LOGS, connector, params))
                found += page.entries
                if page.before is None or len(found) >= limit:
                    return LogPage(
                        connector=page.connector, entries=found[:limit], before=page.before if limit else None
                    )
                before = page.before

        return self._ask(name, read)

    def _ask(self, name: str, read: Callable[[Visitor, Connector], Awaitable[T]]) -> T:
        from usher.kube.access import Access  # noqa: PLC0415 - kube takes a second
        from usher.kube.readapi.client import Visit, find_way  # noqa: PLC0415 - kube takes a second
        from usher.kube.readapi.names import Place  # noqa: PLC0415 - kube takes a second

        home, _, notice = self.read_api.partition("/")
        if not home or not notice:
            raise click.BadParameter("must be NAMESPACE/NAME", param_hint="--read-api")
        where = Visit(Access(self.kubeconfig, self.context, self.namespace), Place(home, notice), self.service_account)

        async def asking() -> T:
            visitor = await find_way(where)
            namespace, _, rest = name.rpartition("/")
            return await read(visitor, (namespace or visitor.namespace, rest))

        return asyncio.run(asking())
