"""What stands in the query of a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from usher.contracts.log import LogQuery
from usher.core.errors import UsherError
from usher.core.model.resources import SourceId
from usher.kube.readapi.names import PAGE, Question

_WORD = Field(default="", max_length=200)
_MARK = Field(default="", max_length=1200)
"""A source id, and where it stands."""


class BadQuestion(UsherError):
    """The query is none of ours. Its values are not repeated: they may name people."""


class Params(BaseModel):
    """Those of one question; any other is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    question: ClassVar[Question]

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Raises BadQuestion that names what is wrong."""
        try:
            return cls.model_validate(query)
        except ValidationError as error:
            first = error.errors(include_input=False, include_context=False, include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            raise BadQuestion(f"{name}: {first['msg']}", reason="BadRequest") from None

    def query(self) -> dict[str, str]:
        """As it stands in the URL, without what nobody said."""
        said: dict[str, object] = self.model_dump(mode="json", exclude_defaults=True)
        return {name: str(value) for name, value in said.items()}


class LogParams(Params):
    """Filters are those of `LogQuery`."""

    question: ClassVar[Question] = Question.LOGS
    limit: int = Field(default=100, ge=1, le=PAGE)
    user: str | None = Field(default=None, max_length=1024)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    cycle: str = _WORD
    step: str = _WORD
    action: str = _WORD
    result: str = _WORD
    reason: str = _WORD
    before: int = Field(default=0, ge=0, le=2**63 - 1)

    @classmethod
    def of(cls, query: LogQuery, limit: int) -> Self:
        """The other way round."""
        return cls(
            limit=limit,
            user=query.source_id,
            since=query.since,
            until=query.until,
            cycle=query.cycle,
            step=query.step,
            action=query.action,
            result=query.result,
            reason=query.reason,
            before=query.before,
        )

    def wanted(self) -> LogQuery:
        """What the store is asked."""
        return LogQuery(
            source_id=None if self.user is None else SourceId(self.user),
            since=self.since,
            until=self.until,
            cycle=self.cycle,
            step=self.step,
            action=self.action,
            result=self.result,
            reason=self.reason,
            before=self.before,
        )


class ExplainParams(Params):
    """About whom: the word that somebody is called by; `limit` is for lines of the log."""

    question: ClassVar[Question] = Question.EXPLAIN
    user: str = Field(min_length=1, max_length=1024)
    limit: int = Field(default=10, ge=0, le=PAGE)


class LinkParams(Params):
    """A page of links; or, all at once, the orphans."""

    question: ClassVar[Question] = Question.LINKS
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    after: str = _MARK
    orphans: bool = False


class PlanParams(Params):
    """A page of changes."""

    question: ClassVar[Question] = Question.PLAN
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    after: str = _MARK
