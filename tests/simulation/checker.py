"""Thirteen promises, held against everything that ever happened at the app, and against all that the program said.

Nothing here knows how the engine works: only the source, the histories, the requests and the reports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from simulation.expectation import ANCHOR, TEXTS, expected_of, is_in, undone, wanted_texts
from simulation.network import SECRET
from simulation.scene import CANARY, Cycle, Scene, Version
from simulation.wire import Sent
from usher.core.model.reports import Counts, CycleReport, CycleResult
from usher.core.model.resources import Json, SourceId, Value
from usher.state.database import TAKEN
from usher.testing.faults import Operation
from usher.testing.history import Actor, Entry, History

MOST_RETRIES: Final = 60
"""Requests of one cycle beyond those of the same cycle without a fault: five requests in a row that fail in all their
four attempts end it, reads and writes apart, and as many again may have been on their way."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise: its name, and what was seen."""

    promise: str
    seen: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.seen}"


def check(scene: Scene) -> list[Violation]:
    """What is broken in all cycles that ran."""
    found = [
        *one_account_each(scene.app.history),
        *nobody_gets_a_second(scene),
        *nobody_comes_who_is_out(scene),
        *values_follow_the_source(scene),
        *nobody_is_missed(scene),
        *strangers_are_left_alone(scene),
        *nobody_writes_without_the_state(scene),
    ]
    for cycle in scene.cycles:
        found += [*budgets_hold(scene, cycle), *reports_are_true(scene, cycle), *nothing_leaks(cycle)]
    if SECRET.encode() in scene.states.take():
        found.append(Violation("I12", "the token stands in the state"))
    return [*found, *patience_is_had(scene)]


# --- I1 -------------------------------------------------------------------------------------------------------------


def one_account_each(history: History) -> Iterator[Violation]:
    """I1: at no instant two accounts for one person."""
    for anchor, most in history.most_accounts_by(ANCHOR).items():
        if anchor and most > 1:
            yield Violation("I1", f"{anchor} had {most} accounts at a time")


def nobody_gets_a_second(scene: Scene) -> Iterator[Violation]:
    """I1: nothing is made for anybody who has an account that is not ours yet: no anchor tells whose it is."""
    unclaimed: dict[str, Json] = {}
    for entry in scene.app.history.entries:
        unclaimed.pop(entry.id, None)
        if entry.after is None or entry.id in scene.strangers:
            continue
        name = entry.after.get("userName")
        if not entry.after.get(ANCHOR):
            unclaimed[entry.id] = name
        elif entry.operation is Operation.CREATE and entry.actor is Actor.CLIENT and name in unclaimed.values():
            yield Violation("I1", f"{_anchor(entry)} had an account, and got a second one")


# --- I2 -------------------------------------------------------------------------------------------------------------


def nobody_comes_who_is_out(scene: Scene) -> Iterator[Violation]:
    """I2: nobody gets an account, or one that is enabled, whom the last complete read does not have in scope."""
    for cycle, entry in _entries(scene):
        comes = _is_active(entry.after) and not _is_active(entry.before)
        anchor = _anchor(entry)
        if comes and anchor and not is_in(_of(cycle.version, anchor)):
            yield Violation("I2", f"{anchor} is enabled by a {entry.operation}, and is out")


# --- I3 -------------------------------------------------------------------------------------------------------------


def values_follow_the_source(scene: Scene) -> Iterator[Violation]:
    """I3: what an account was given, in its order, is what the source said, in its order."""
    for path in TEXTS:
        said: defaultdict[str, list[str | None]] = defaultdict(list)
        for version in scene.versions:
            for source_id, person in version.people.items():
                said[source_id].append(wanted_texts(scene, person)[path])
        for anchor, given in _given(scene, path).items():
            if not _is_subsequence(given, said[anchor]):
                yield Violation("I3", f"{path} of {anchor} was {given}, the source said {said[anchor]}")


def _given(scene: Scene, path: str) -> dict[str, list[Json]]:
    """By person, the values that the client wrote, each one time in a row."""
    given: defaultdict[str, list[Json]] = defaultdict(list)
    for _, entry in _entries(scene):
        after = None if entry.after is None else entry.after.get(path)
        before = None if entry.before is None else entry.before.get(path)
        if entry.after is not None and after != before:
            values = given[_anchor(entry)]
            if not values or values[-1] != after:
                values.append(after)
    return given


def _is_subsequence(part: Sequence[Json], whole: Sequence[Json]) -> bool:
    left = iter(whole)
    return all(any(one == other for other in left) for one in part)


# --- I4 -------------------------------------------------------------------------------------------------------------


def nobody_is_missed(scene: Scene) -> Iterator[Violation]:
    """I4: disables come before creates in a cycle that nothing struck."""
    for cycle, entries in _by_cycle(scene):
        came: str | None = None
        for entry in entries if cycle.faultless else ():
            if entry.operation is Operation.CREATE:
                came = _anchor(entry)
            elif came is not None and _is_active(entry.before) and not _is_active(entry.after) and entry.after:
                yield Violation("I4", f"{_anchor(entry)} is disabled after {came} was created")


# --- I5 -------------------------------------------------------------------------------------------------------------


def budgets_hold(scene: Scene, cycle: Cycle) -> Iterator[Violation]:
    """I5: no cycle takes away more than it may. Nobody approves anything here."""
    ended = _end_of(scene, cycle)
    mine = [e for e in scene.app.history.entries[cycle.users : ended[0]] if e.actor is Actor.CLIENT]
    taken = {e.id for e in mine if _is_active(e.before) and not _is_active(e.after)}
    live = sum(1 for document in _accounts_at(scene.app.history, cycle.users).values() if _is_active(document))
    budget = scene.plot.budget
    few = len(taken) <= budget.min_count or len(taken) * 100 <= budget.max_percent * live
    if len(taken) > budget.max_count or not few:
        yield Violation("I5", f"{len(taken)} of {live} accounts were taken away in one cycle")


# --- I9 -------------------------------------------------------------------------------------------------------------


def strangers_are_left_alone(scene: Scene) -> Iterator[Violation]:
    """I9: what was neither matched nor made by us is never written."""
    for history in (scene.app.history, _groups(scene)):
        for entry in history.writes:
            if entry.id in scene.strangers:
                yield Violation("I9", f"{entry.id} was written, and is a stranger's")


# --- I10 ------------------------------------------------------------------------------------------------------------


def reports_are_true(scene: Scene, cycle: Cycle) -> Iterator[Violation]:
    """I10: a cycle that says it succeeded left nothing undone; one that nothing struck counts what it did."""
    came = cycle.came
    if not isinstance(came, CycleReport):
        return
    ended = _end_of(scene, cycle)
    if came.result is CycleResult.SUCCEEDED and cycle is scene.cycles[-1] and cycle.version is not None:
        for one in undone(scene, expected_of(scene, cycle.version)):
            yield Violation("I10", f"the cycle succeeded, and {one}")
    if cycle.faultless:
        yield from _miscounted("users", came.counts, scene.app.history.entries[cycle.users : ended[0]])
        yield from _miscounted("groups", came.groups or Counts(), _groups(scene).entries[cycle.groups : ended[1]])


def _miscounted(what: str, counts: Counts, entries: Sequence[Entry]) -> Iterator[Violation]:
    mine = [entry for entry in entries if entry.actor is Actor.CLIENT]
    made = sum(1 for entry in mine if entry.operation is Operation.CREATE)
    deleted = sum(1 for entry in mine if entry.operation is Operation.DELETE)
    if (counts.created, counts.deleted) != (made, deleted):
        yield Violation("I10", f"{what}: {counts} where {made} were created and {deleted} deleted")
    told = counts.updated + counts.disabled + counts.references + counts.linked
    if bool(told) < any(entry.operation is Operation.UPDATE for entry in mine):
        yield Violation("I10", f"{what}: {counts} where some were changed")


# --- I11 ------------------------------------------------------------------------------------------------------------


def nobody_writes_without_the_state(scene: Scene) -> Iterator[Violation]:
    """I11: a process that was stopped, and whose state another one has, changes nothing any more, and says so."""
    for one in scene.network.sent:
        if one.stale and one.method != "GET":
            yield Violation("I11", f"{one.method} {one.path.partition('?')[0]} comes from one that lost the state")
    for came in scene.went_on:
        reason = came.error_reason if isinstance(came, CycleReport) else came.reason
        if reason != TAKEN:
            yield Violation("I11", f"a process that lost the state came to {came!r}")


# --- I12 ------------------------------------------------------------------------------------------------------------


def nothing_leaks(cycle: Cycle) -> Iterator[Violation]:
    """I12: what a cycle says of itself holds neither a secret nor a person."""
    came = cycle.came
    said = [str(came), repr(came)] if isinstance(came, CycleReport) else [str(came)]
    said += cycle.process.said
    for text in said:
        for word in (SECRET, CANARY):
            if word in text:
                yield Violation("I12", f"{word} stands in {text[:200]}")


# --- I13 ------------------------------------------------------------------------------------------------------------


def patience_is_had(scene: Scene) -> Iterator[Violation]:
    """I13: no process asks before a Retry-After has passed that it was told: what others were told it can't know."""
    ends = [*(cycle.sent for cycle in scene.cycles[1:]), len(scene.network.sent)]
    for cycle, end in zip(scene.cycles, ends, strict=True):
        sent = scene.network.sent[cycle.sent : end]
        for stale in (False, True):
            yield from _impatience([one for one in sent if one.stale is stale], scene.network.latency)


def _impatience(sent: Sequence[Sent], latency: float) -> Iterator[Violation]:
    until = answered = 0.0
    for one in sent:
        if answered < one.at < until:
            yield Violation("I13", f"{one.method} {one.at:.2f} comes before {until:.2f}, as the app had asked for")
        if one.not_before > until:
            until, answered = one.not_before, one.at + latency


def bounded(requests: int, usual: int) -> Iterator[Violation]:
    """I13: a cycle under faults asks for no more than retries need."""
    if requests > (usual + MOST_RETRIES) * 1.1:
        yield Violation("I13", f"{requests} requests where {usual} are usual")


# --- histories ------------------------------------------------------------------------------------------------------


def _entries(scene: Scene) -> Iterator[tuple[Cycle, Entry]]:
    """What the client did with users, with the cycle that did it."""
    for cycle, entries in _by_cycle(scene):
        for entry in entries:
            yield cycle, entry


def _by_cycle(scene: Scene) -> Iterator[tuple[Cycle, Sequence[Entry]]]:
    for cycle in scene.cycles:
        entries = scene.app.history.entries[cycle.users : _end_of(scene, cycle)[0]]
        yield cycle, [entry for entry in entries if entry.actor is Actor.CLIENT]


def _end_of(scene: Scene, cycle: Cycle) -> tuple[int, int]:
    place = scene.cycles.index(cycle) + 1
    if place < len(scene.cycles):
        return scene.cycles[place].users, scene.cycles[place].groups
    return len(scene.app.history), len(_groups(scene))


def _groups(scene: Scene) -> History:
    groups = scene.app.groups
    assert groups is not None
    return groups.history


def _accounts_at(history: History, place: int) -> Mapping[str, Mapping[str, Json]]:
    accounts: dict[str, Mapping[str, Json]] = {}
    for entry in history.entries[:place]:
        if entry.after is None:
            accounts.pop(entry.id, None)
        else:
            accounts[entry.id] = entry.after
    return accounts


def _is_active(document: Mapping[str, Json] | None) -> bool:
    return document is not None and document.get("active") is not False


def _anchor(entry: Entry) -> str:
    document = entry.after or entry.before or {}
    return str(document.get(ANCHOR) or "")


def _of(version: Version | None, anchor: str) -> Mapping[str, Value] | None:
    return None if version is None else version.people.get(SourceId(anchor))
