"""What goes wrong, and when: one schedule drives the memory target and the hostile server alike.

A rule matches the logical operation (the third create, every fifth update, the seventh request of all), never a time:
the same schedule against the same program gives the same run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Operation(StrEnum):
    """What a request is about, whatever the protocol. A query is a list with a filter."""

    CHECK = "check"
    DISCOVER = "discover"
    LIST = "list"
    FIND = "find"
    GET = "get"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


WRITES: Final = frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE})


class FaultKind(StrEnum):
    """One way to fail. A write has its effect under ..._AFTER, TRUNCATED_JSON and CUT_OFF, and under no other."""

    LOST_BEFORE = "lost-before"
    """Nothing happened: a session says NotSent. On the wire the connection is reset, and a client can't know that."""
    LOST_AFTER = "lost-after"
    """The change is made, then the connection is reset."""
    THROTTLED = "throttled"
    """429; `retry_after` as given."""
    UNAVAILABLE = "unavailable"
    """503, nothing happened."""
    UNAVAILABLE_AFTER = "unavailable-after"
    """The change is made, then 503."""
    REFUSED = "refused"
    """400: the app does not like what is in the request, nothing happened."""
    NO_LICENCE = "no-licence"
    """402: no licence is left, nothing happened."""
    UNAUTHORIZED = "unauthorized"
    """401: the token ran out in the middle."""
    TRUNCATED_JSON = "truncated-json"
    """A success whose body is half a document; a change is made."""
    CUT_OFF = "cut-off"
    """A success whose connection closes in the middle of its body; a change is made."""
    HTML_200 = "html-200"
    """Status 200 and a login page, nothing happened."""
    HTML_200_AFTER = "html-200-after"
    """Status 200 and a login page; a change is made."""
    REPEATED_PAGE = "repeated-page"
    """A later page of a list brings the first page again."""
    LYING_TOTAL = "lying-total"
    """A list claims one more resource than it brings."""
    EMPTY_LIST = "empty-list"
    """A list or a query finds nobody, and says so with a clean success."""
    IGNORED_FILTER = "ignored-filter"
    """A query answers with everybody."""
    IGNORED_CHANGE = "ignored-change"
    """An update answers with success and the unchanged resource."""
    KILL_BEFORE = "kill-before"
    """`kill` is called, nothing happened."""
    KILL_AFTER = "kill-after"
    """The change is made, then `kill` is called."""


class Killed(BaseException):
    """Ends the program under test in-process, as SIGKILL would: not an Exception, so that nobody handles it."""


def die() -> None:
    """The kill of in-process tests: raises Killed."""
    raise Killed


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to inject. `retry_after` is sent with THROTTLED, as seconds, as a header text as it is, or not at all."""

    kind: FaultKind
    retry_after: float | str | None = None
    kill: Callable[[], None] = die


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `index` counts its operation, `ordinal` all requests, both from 1; `subject` is the id, if any."""

    operation: Operation
    index: int
    ordinal: int
    subject: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Injects the fault into every call that it matches."""

    matches: Callable[[Call], bool]
    fault: Fault


def nth(operation: Operation, index: int, fault: Fault) -> Rule:
    """The `index`-th call of that operation, counted from 1."""
    return Rule(lambda call: call.operation is operation and call.index == index, fault)


def every(operation: Operation, interval: int, fault: Fault) -> Rule:
    """Each `interval`-th call of that operation; 1 is all of them."""
    return Rule(lambda call: call.operation is operation and call.index % interval == 0, fault)


def request(ordinal: int, fault: Fault) -> Rule:
    """The `ordinal`-th request of all, counted from 1, whatever it is: for a loop over every boundary of a run."""
    return Rule(lambda call: call.ordinal == ordinal, fault)


def when(predicate: Callable[[Call], bool], fault: Fault) -> Rule:
    """Every call that the predicate picks."""
    return Rule(predicate, fault)


def parse_rule(text: str, kill: Callable[[], None] = die) -> Rule:
    """A rule in one word: `create:3:lost-after`, `update:*5:throttled=2` (every fifth), `any:7:kill-before`.

    Raises ValueError for anything else.
    """
    name, position, effect = text.split(":", 2)
    kind, _, wait = effect.partition("=")
    fault = Fault(FaultKind(kind), float(wait) if wait else None, kill)
    if name == "any":
        return request(int(position), fault)
    if position.startswith("*"):
        return every(Operation(name), int(position[1:]), fault)
    return nth(Operation(name), int(position), fault)


class FaultSchedule:
    """Counts calls and says which of them fail; the first rule that matches wins. `injected` is what it did."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._rules = list(rules)
        self._counts: Counter[Operation] = Counter()
        self.injected: list[tuple[Call, FaultKind]] = []

    def next(self, operation: Operation, subject: str = "") -> Fault | None:
        """Counts one call, and returns the fault that strikes it."""
        self._counts[operation] += 1
        call = Call(operation, self._counts[operation], self._counts.total(), subject)
        for rule in self._rules:
            if rule.matches(call):
                self.injected.append((call, rule.fault.kind))
                return rule.fault
        return None

    def add(self, rule: Rule) -> None:
        """One more rule, behind the others; it sees the counts as they are."""
        self._rules.append(rule)

    def strike(self, operation: Operation, kind: FaultKind, count: int = 1, after: int = 0) -> None:
        """The next `count` calls of that operation fail, once `after` more of them have gone well."""
        first = self.count(operation) + after + 1
        for index in range(first, first + count):
            self.add(nth(operation, index, Fault(kind)))

    def heal(self) -> None:
        """No more faults; the counts go on."""
        self._rules.clear()

    def count(self, operation: Operation) -> int:
        """How many calls of that operation came so far, failed ones included."""
        return self._counts[operation]

    @property
    def calls(self) -> int:
        """How many calls came so far."""
        return self._counts.total()

    @property
    def writes(self) -> int:
        """How many creates, updates and deletes were asked for so far."""
        return sum(self._counts[operation] for operation in WRITES)
