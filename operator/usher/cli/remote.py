"""The operator of a cluster, for the commands that show what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from pydantic import ValidationError

from usher.answers.explaining import Told, ToldForm
from usher.answers.links import LinkLine, LinkPage, OrphansFound
from usher.answers.log import LogLine, LogPage
from usher.answers.plans import PlanPage
from usher.contracts.log import LogQuery

if TYPE_CHECKING:  # kube takes a second to import, which commands for files don't wait for
    from usher.kube.readapi.client import Asking

T = TypeVar("T")


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
        from usher.kube.readapi.params import LogParams  # noqa: PLC0415 - kube takes a second

        _sound(lambda: LogParams.of(query, 1))

        async def read(asking: Asking) -> LogPage:
            found, before = list[LogLine](), query.before
            while True:
                params = LogParams.of(replace(query, before=before), _size(limit, found))
                page = await asking.ask(params, LogPage)
                found += page.entries
                if page.before is None or len(found) >= limit:
                    return LogPage(
                        connector=page.connector, entries=found[:limit], before=page.before if limit else None
                    )
                before = page.before

        return self._ask(name, read)

    def links(self, name: str, limit: int) -> LinkPage:
        """As `Origin`."""
        from usher.kube.readapi.params import LinkParams  # noqa: PLC0415 - kube takes a second

        async def read(asking: Asking) -> LinkPage:
            found, after = list[LinkLine](), ""
            while True:
                page = await asking.ask(LinkParams(limit=_size(limit, found), after=after), LinkPage)
                found += page.links
                if page.after is None or len(found) >= limit:
                    return LinkPage(connector=page.connector, total=page.total, links=found[:limit])
                after = page.after

        return self._ask(name, read)

    def orphans(self, name: str) -> OrphansFound:
        """As `Origin`."""
        from usher.kube.readapi.params import LinkParams  # noqa: PLC0415 - kube takes a second

        return self._ask(name, lambda asking: asking.ask(LinkParams(orphans=True), OrphansFound))

    def explain(self, name: str, word: str, lines: int) -> Told:
        """As `Origin`."""
        from usher.kube.readapi.names import PAGE  # noqa: PLC0415 - kube takes a second
        from usher.kube.readapi.params import ExplainParams  # noqa: PLC0415 - kube takes a second

        params = _sound(lambda: ExplainParams(user=word, limit=min(lines, PAGE)))
        return self._ask(name, lambda asking: asking.ask(params, ToldForm)).root

    def plan(self, name: str, take: Callable[[PlanPage], None]) -> None:
        """As `Origin`."""
        from usher.kube.readapi.params import PlanParams  # noqa: PLC0415 - kube takes a second

        async def read(asking: Asking) -> None:
            after: str | None = ""
            while after is not None:
                page = await asking.ask(PlanParams(after=after), PlanPage)
                take(page)
                after = page.after

        self._ask(name, read)

    def _ask(self, name: str, read: Callable[[Asking], Awaitable[T]]) -> T:
        from usher.kube.access import Access  # noqa: PLC0415 - kube takes a second
        from usher.kube.readapi.client import Asking, Visit, find_way  # noqa: PLC0415 - kube takes a second
        from usher.kube.readapi.names import Place  # noqa: PLC0415 - kube takes a second

        home, _, notice = self.read_api.partition("/")
        if not home or not notice:
            raise click.BadParameter("must be NAMESPACE/NAME", param_hint="--read-api")
        where = Visit(Access(self.kubeconfig, self.context, self.namespace), Place(home, notice), self.service_account)

        async def asking() -> T:
            visitor = await find_way(where)
            namespace, _, rest = name.rpartition("/")
            return await read(Asking(visitor, (namespace or visitor.namespace, rest)))

        return asyncio.run(asking())


def _sound(make: Callable[[], T]) -> T:
    """What is asked, before anybody is. Raises UsageError for what no operator would take."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        message = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise click.UsageError(message) from error


def _size(limit: int, found: Sequence[object]) -> int:
    from usher.kube.readapi.names import PAGE  # noqa: PLC0415 - kube takes a second

    return min(PAGE, max(1, limit - len(found)))
