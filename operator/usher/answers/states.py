"""How it stands with one person or group, state by state, each with what would change it. They name people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from usher.answers.form import Answer, time_text
from usher.answers.seeing import NAMED, seen
from usher.answers.ways_out import NOTHING, way_out
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action, MatchKey
from usher.core.model.standing import Quarantine
from usher.core.sync.leaving import SOURCE_DELETED, UNASSIGNED
from usher.core.sync.policies import Enforcement
from usher.core.sync.rules import CompiledMapping
from usher.core.sync.untouchable import NEVER_TOUCH
from usher.engine.explaining import Facts, Given

_NOT_DONE: Final = frozenset({"Skipped", "Failure", "Unknown"})


class StateLine(Answer):
    """One thing that is so, and what would change it."""

    state: str
    text: str
    way_out: str


def quarantine_line(held: Quarantine) -> str:
    """Why the operator comes less and less often, and since when."""
    return f"in quarantine since {time_text(held.since)}: {held.reason}, cycle {held.count}"


def states_of(facts: Facts, approve: str) -> Iterator[StateLine]:
    """All of them, in the order in which a cycle asks. `approve` is the command that approves, but for the hash."""
    yield from _connector(facts)
    yield _scope(facts)
    yield from _assignment(facts)
    yield from _account(facts)
    if facts.untouchable:
        text = "the account is one of spec.scope.neverTouch: it is never written"
        yield _state("neverTouch", text, way_out(NEVER_TOUCH))
    if facts.intent is not None:
        text = f"a {facts.intent.action.value} was sent, or was about to be, and nobody knows yet what came of it"
        creates = facts.intent.action is Action.CREATE
        yield _state("intent", text, way_out("CreateOutcomeUnknown" if creates else "OutcomeUnknown"))
    yield from _held(facts, approve)
    if facts.unsettled is not None:
        yield _unsettled(facts.unsettled)
    yield from _references(facts)
    yield from _last(facts)


def _state(state: str, text: str, way: str) -> StateLine:
    return StateLine(state=state, text=text, way_out=way)


def _connector(facts: Facts) -> Iterator[StateLine]:
    if facts.enforcement is Enforcement.OBSERVE:
        yield _state("connector", "spec.policy is Observe: nothing is written for anybody", "set spec.policy: Enforce")
    if facts.quarantine is not None:
        way = "mend what fails most in usher logs; a cycle that succeeds lifts it"
        yield _state("connector", quarantine_line(facts.quarantine), way)


def _scope(facts: Facts) -> StateLine:
    if facts.resource is None:
        text = "out: the source has nobody of this id any more (SourceDeleted)"
        return _state("scope", text, way_out(SOURCE_DELETED))
    if facts.failed is not None:
        detail = facts.failed.detail or facts.failed.message
        return _state(
            "scope", f"it can't be said what is wanted ({facts.failed.reason}): {detail}", way_out(facts.cause)
        )
    if facts.cause == UNASSIGNED and not facts.job.whole:
        text = "not assigned, which says nothing while an entry is not understood: who has an account keeps it"
        return _state("scope", text, way_out("ScopeUnresolved"))
    if facts.cause:
        policy = "" if facts.link is None else f"; policy {facts.job.deprovisioning.of(facts.cause).value}"
        return _state("scope", f"out: {facts.cause}{policy}", way_out(facts.cause))
    return _state("scope", "in: an active account is wanted", NOTHING)


def _assignment(facts: Facts) -> Iterator[StateLine]:
    if facts.job.assignment is None:
        return
    by = [f"{entry.place}{f' (role {entry.role})' if entry.role else ''}" for entry in facts.entries]
    kept = facts.job.assigned is not None and facts.subject.source_id in facts.job.assigned
    if by:
        yield _state("assignment", f"assigned by {', '.join(by)}", "take them out of each of these entries to end it")
    elif kept:
        text = "assigned by no entry now, and still in as before, while an entry is not understood"
        yield _state("assignment", text, way_out("ScopeUnresolved"))
    elif facts.cause != UNASSIGNED:
        yield _state("assignment", "assigned by no entry of spec.scope", way_out(UNASSIGNED))
    for each in facts.unresolved:
        yield _state("assignment", str(each), way_out("ScopeUnresolved"))


def _account(facts: Facts) -> Iterator[StateLine]:
    wanted = facts.desired is not None and facts.desired.active
    if facts.link is not None:
        enabled = "enabled" if facts.link.enabled else "disabled"
        as_wanted = facts.desired is None or facts.link.enabled is facts.desired.active
        as_wanted = as_wanted and facts.held is None
        way = NOTHING if as_wanted else "the next cycle changes it, unless another state here says why not"
        yield _state("account", f"linked to the account {facts.link.target_id}, {enabled}", way)
        return
    way = "the next cycle looks for one and makes one, unless another state here says why not" if wanted else NOTHING
    yield _state("account", "no account is linked", way)
    if facts.desired is not None and wanted:
        by = "; then by ".join(_key_text(facts.job.mapping, key) for key in facts.desired.keys)
        if by:
            yield _state("match", f"an account is looked for by {by}", "another value at the source")
        else:
            yield _state("match", "no matching attribute has a value", way_out("ImportSkipped"))


def _key_text(mapping: CompiledMapping, key: MatchKey) -> str:
    return " and ".join(f"{path} = {seen(mapping, path, value)}" for path, value in key.conjunction)


def _held(facts: Facts, approve: str) -> Iterator[StateLine]:
    if facts.held is None:
        return
    hold, rows = facts.held
    actions = ", ".join(dict.fromkeys(row.action.value for row in rows))
    state = "approved, and applied by the next cycle" if hold.approved else f"it waits until {time_text(hold.expires)}"
    text = f"{actions} is in the held plan {hold.hash} ({hold.reason}): {state}"
    way = f"mend the source, or approve the whole set: {approve} {hold.hash}"
    yield _state("held", text, way)


def _unsettled(one: Unsettled) -> StateLine:
    if one.escrow is None:
        return _state("unsettled", f"{one.reason}, since {time_text(one.since)}; each cycle looks", way_out(one.reason))
    due = one.escrow.due
    if one.escrow.duty.always or (due is not None and due <= one.since):
        when = "tried again in the next cycle"
    else:
        when = "given up" if due is None else f"tried again from {time_text(due)} on"
    times = "once" if one.attempts == 1 else f"{one.attempts} times"
    text = f"{one.escrow.duty.value} failed {times} since {time_text(one.since)} ({one.reason}); {when}"
    return _state("escrow", text, f"{way_out(one.reason)}; what changes at the source is tried at once")


def _references(facts: Facts) -> Iterator[StateLine]:
    for given, text, way in (
        (Given.PENDING, "not given yet, though both accounts are there", "the next cycle gives it"),
        (Given.NO_ACCOUNT, "no active account here", "it is given once they are in scope and have an account"),
    ):
        for path in dict.fromkeys(fact.path for fact in facts.references):
            others = [fact.to for fact in facts.references if fact.path == path and fact.given is given]
            more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
            if others:
                yield _state("reference", f"{path}: {text}: {', '.join(others[:NAMED])}{more}", way)


def _last(facts: Facts) -> Iterator[StateLine]:
    """Why nothing was done, where the newest line of the log says so."""
    if facts.log and facts.log[0].result in _NOT_DONE:
        line = facts.log[0]
        detail = f": {line.detail}" if line.detail else ""
        text = f"{line.action} {line.result} at {time_text(line.time)}, {line.reason}{detail}"
        yield _state("last", text, way_out(line.reason))
