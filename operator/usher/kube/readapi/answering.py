"""What is answered: a question about one connector, by somebody who may know it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from usher.answers.explaining import Candidates, Explained, explain
from usher.answers.form import Answer
from usher.answers.links import read_links, read_orphans
from usher.answers.log import read_log
from usher.answers.plans import read_plan
from usher.api.conditions import Finding
from usher.core.errors import UsherError
from usher.core.model.resources import ConnectorKey
from usher.engine.job import Ports
from usher.kube.objects import Document, Kind, ObjectKey
from usher.kube.readapi.names import LARGEST, Question
from usher.kube.readapi.params import ExplainParams, LinkParams, LogParams, PlanParams

MOST_REFERENCES: Final = 1000
"""References in one explanation: a group may have a hundred thousand members."""


class UnknownConnector(UsherError):
    """There is none of that name, and nothing is left of one."""


class NotWorkable(UsherError):
    """There is such a connector, and it can't be told what it would do: a condition of it says the same."""


@dataclass(frozen=True, slots=True)
class Library:
    """What answers are made of.

    `ports` have a store that only reads. `look` gives an object as it is, or raises CycleError while nothing was seen
    yet; `prepare` makes of it a connector as it is worked on, or says what stands in the way.
    """

    ports: Ports
    look: Callable[[ObjectKey], Document | None]
    prepare: Callable[[ObjectKey, Document], Explained | Finding]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question; `params` as they stand in the URL."""

    question: Question
    namespace: str
    name: str
    params: Mapping[str, str]

    @property
    def key(self) -> ObjectKey:
        """The connector."""
        return ObjectKey(Kind.CONNECTOR, self.namespace, self.name)

    @property
    def connector(self) -> ConnectorKey:
        """As the state calls it."""
        return ConnectorKey(self.key.path)


_Handler: TypeAlias = Callable[[Library, Asked], Awaitable[bytes]]


async def answer(library: Library, asked: Asked) -> bytes:
    """The answer as JSON.

    Raises BadQuestion, MarkUnknown, UnknownConnector, NotWorkable, and CycleError for a state that can't be read.
    """
    return await _HANDLERS[asked.question](library, asked)


async def _logs(library: Library, asked: Asked) -> bytes:
    params = LogParams.read(asked.params)

    async def page(limit: int) -> Answer:
        found = await read_log(library.ports.store, asked.connector, params.wanted(), limit)
        if not found.entries:
            _demand(library, asked)
        return found

    return await _fitting(page, params.limit)


async def _links(library: Library, asked: Asked) -> bytes:
    params = LinkParams.read(asked.params)

    async def page(limit: int) -> Answer:
        found = await read_links(library.ports.store, asked.connector, params.after, limit)
        if not found.total:
            _demand(library, asked)
        return found

    async def orphans(_limit: int) -> Answer:
        found = await read_orphans(library.ports.store, asked.connector)
        if not found.orphans:
            _demand(library, asked)
        return found

    return await _fitting(orphans if params.orphans else page, params.limit)


async def _explain(library: Library, asked: Asked) -> bytes:
    params, about = ExplainParams.read(asked.params), _prepare(library, asked)

    async def page(limit: int) -> Answer:
        told = await explain(about, library.ports, params.user, limit)
        return told if isinstance(told, Candidates) else told.with_references(MOST_REFERENCES)

    return await _fitting(page, params.limit)


async def _plan(library: Library, asked: Asked) -> bytes:
    params, about = PlanParams.read(asked.params), _prepare(library, asked)

    async def page(limit: int) -> Answer:
        return await read_plan(library.ports.store, about, params.after, limit)

    return await _fitting(page, params.limit)


def _demand(library: Library, asked: Asked) -> Document:
    """Of a connector that is gone there is something for a while. Where there is nothing, there has to be an object."""
    document = library.look(asked.key)
    if document is None:
        raise UnknownConnector(f"there is no {asked.key} that this operator works on", reason="NotFound")
    return document


def _prepare(library: Library, asked: Asked) -> Explained:
    found = library.prepare(asked.key, _demand(library, asked))
    if isinstance(found, Finding):
        raise NotWorkable(f"{asked.key} can't be worked on: {found.message}", reason=found.reason)
    return found


async def _fitting(page: Callable[[int], Awaitable[Answer]], limit: int) -> bytes:
    """As much of a page as one answer may hold; one line at the least."""
    while True:
        body = encoded(await page(limit))
        if len(body) <= LARGEST or limit <= 1:
            return body
        limit //= 2


def encoded(found: Answer) -> bytes:
    """As JSON."""
    return found.model_dump_json(by_alias=True, exclude_unset=True).encode()


_HANDLERS: Final[Mapping[Question, _Handler]] = {
    Question.LOGS: _logs,
    Question.LINKS: _links,
    Question.EXPLAIN: _explain,
    Question.PLAN: _plan,
}
