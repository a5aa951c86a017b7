"""How it stands with one person or group, why, and what would change that: from the state alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeAlias

from pydantic import JsonValue, RootModel

from usher.answers.form import Answer
from usher.answers.log import LogLine, line_of
from usher.answers.seeing import seen
from usher.answers.states import StateLine, states_of
from usher.answers.steps import StepLine, step_line
from usher.assembly.ends import surroundings_of
from usher.core.expressions.explain import explain as explain_expression
from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import ConnectorKey, ResourceType
from usher.core.sync.flows import Computed
from usher.core.sync.mapping import LineValue
from usher.engine.explaining import Facts, Found, Given, ReferenceFact, find_subjects, gather
from usher.engine.job import ConnectorJob, Ports

_GUESSES: Final = 3


class Candidate(Answer):
    """Somebody who is called so."""

    resource_type: ResourceType
    source_id: str


class Candidates(Answer):
    """The word means several, or nobody: `near` are names that begin so, or are like it."""

    connector: str
    candidates: Sequence[Candidate]
    near: Sequence[str] = ()


class ClauseLine(Answer):
    """One clause of a scoping filter; `holds` is None where it can't be judged, and `problem` says why."""

    place: str
    filter: str
    clause: str
    holds: bool | None
    problem: str


class MappedLine(Answer):
    """What one line of the mapping gives; of `choices` a create takes the first that is free.

    `problem`, `choices` and the steps of an expression are only there where there are any.
    """

    place: str
    path: str
    value: JsonValue
    choices: Sequence[JsonValue] = ()
    problem: str = ""
    steps: Sequence[StepLine] = ()


class ReferenceLine(Answer):
    """One resource that is referred to, and how that stands."""

    path: str
    source_id: str
    given: str


class Explanation(Answer):
    """All of it. `active`: an active account is wanted. `references_left_out` counts those besides `references`."""

    connector: str
    resource_type: ResourceType
    source_id: str
    target_id: str | None
    enabled: bool | None
    active: bool
    states: Sequence[StateLine]
    clauses: Sequence[ClauseLine]
    values: Sequence[MappedLine]
    references: Sequence[ReferenceLine]
    references_left_out: int = 0
    log: Sequence[LogLine]

    def with_references(self, most: int) -> Explanation:
        """With so many of them, those first that are not given."""
        if len(self.references) <= most:
            return self
        due = sorted(self.references, key=lambda one: one.given == Given.YES)
        more = {"references": due[:most], "references_left_out": len(due) - most}
        return self.model_copy(update=more)


Told: TypeAlias = Explanation | Candidates


class ToldForm(RootModel[Told]):
    """Either of them, as it comes."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A connector about which questions are answered. `domain` is its source's.

    `approve` is the command that approves what it holds, but for the hash.
    """

    job: ConnectorJob
    domain: str
    suspended: bool
    approve: str

    @property
    def key(self) -> ConnectorKey:
        """The connector's."""
        return self.job.connector


async def explain(about: Explained, ports: Ports, word: str, lines: int) -> Told:
    """Who is meant by the word, with so many lines of the log. Raises CycleError, as `gather`."""
    found = await find_subjects(about.job, ports.store, word)
    if len(found.subjects) == 1:
        return _told(about, ports, await gather(about.job, ports, found.subjects[0], lines))
    listed = [Candidate(resource_type=kind, source_id=one) for kind, one in found.subjects]
    if listed:
        return Candidates(connector=about.key, candidates=listed)
    near = await asyncio.to_thread(_near, found, word)  # it takes seconds where there are many names
    return Candidates(connector=about.key, candidates=[], near=near)


def _near(found: Found, word: str) -> list[str]:
    folded = {name.casefold(): name for name in found.names}
    begun = [name for one, name in folded.items() if one.startswith(word.casefold())]
    return begun[:_GUESSES] or [folded[one] for one in get_close_matches(word.casefold(), folded, n=_GUESSES)]


def _told(about: Explained, ports: Ports, facts: Facts) -> Explanation:
    surroundings = surroundings_of(ports.runtime, about.domain)
    states = list(states_of(facts, about.approve))
    if about.suspended:
        text, way = "spec.suspend is true: no cycle runs", "take it out of the spec"
        states.insert(0, StateLine(state="connector", text=text, way_out=way))
    kind, source_id = facts.subject
    return Explanation(
        connector=about.key,
        resource_type=kind,
        source_id=source_id,
        target_id=None if facts.link is None else facts.link.target_id,
        enabled=None if facts.link is None else facts.link.enabled,
        active=facts.desired is not None and facts.desired.active,
        states=states,
        clauses=_clauses(facts),
        values=[_mapped(facts, line, surroundings) for line in facts.lines],
        references=[_reference(fact) for fact in facts.references],
        log=[line_of(entry) for entry in facts.log],
    )


def _clauses(facts: Facts) -> list[ClauseLine]:
    return [
        ClauseLine(
            place=one.clause.place,
            filter=one.filter,
            clause=str(one.clause),
            holds=None if one.problem else one.holds,
            problem=one.problem,
        )
        for one in facts.judgements
    ]


def _mapped(facts: Facts, line: LineValue, surroundings: Surroundings) -> MappedLine:
    mapping, rule = facts.job.mapping, line.rule
    more: dict[str, object] = {}
    if line.choices:
        more["choices"] = [seen(mapping, rule.target, one) for one in line.choices]
    if line.problem:
        more["problem"] = line.problem
    if isinstance(rule.flow, Computed) and not rule.hidden:
        more["steps"] = [step_line(explain_expression(rule.flow.expression, facts.attributes, surroundings))]
    told = MappedLine(place=rule.place, path=rule.target, value=seen(mapping, rule.target, line.value))
    return told.model_copy(update=more) if more else told


def _reference(fact: ReferenceFact) -> ReferenceLine:
    return ReferenceLine(path=fact.path, source_id=fact.to, given=fact.given.value)
