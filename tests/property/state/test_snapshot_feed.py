"""Any sequence of reads, against a model of two dictionaries."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from usher.contracts.source import Evidence
from usher.contracts.store import Store
from usher.core.model.resources import SourceId, SourceResource
from usher.state.store import open_store
from usher.testing.store_examples import PEOPLE, USER, collect, make_snapshot, make_staged

IDS = st.sampled_from([SourceId(f"p{index}") for index in range(4)])
NAMES = st.sampled_from(["one", "two"])


class SnapshotFeed(RuleBasedStateMachine):
    """`entries` holds each id's version and name, None for a tombstone."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.store: Store = self.runner.run(self.stack.enter_async_context(open_store(None)))
        self.version = 0
        self.entries: dict[SourceId, tuple[int, str | None]] = {}
        self.staged: dict[SourceId, str] = {}

    @rule(people=st.dictionaries(IDS, NAMES, max_size=3))
    def stage(self, people: dict[SourceId, str]) -> None:
        rows = [make_staged(person, name) for person, name in people.items()]
        self.runner.run(self.store.stage(PEOPLE, USER, rows))
        self.staged |= people

    @rule()
    def discard(self) -> None:
        self.runner.run(self.store.discard(PEOPLE, USER))
        self.staged.clear()

    @rule(removed=st.lists(IDS, max_size=2))
    def publish(self, removed: list[SourceId]) -> None:
        self.version += 1
        self.runner.run(
            self.store.publish(PEOPLE, USER, dict.fromkeys(removed, Evidence.ABSENT), make_snapshot(self.version))
        )
        for person in removed:
            if person in self.entries and self.entries[person][1] is not None:
                self.entries[person] = (self.version, None)
        self.entries |= {person: (self.version, name) for person, name in self.staged.items()}
        self.staged.clear()

    @rule(since=st.none() | st.integers(0, 9), span=st.integers(0, 9))
    def read_feed(self, since: int | None, span: int) -> None:
        until = self.version if since is None else since + span
        found = self.runner.run(collect(self.store.changes(PEOPLE, USER, since, until)))
        expected = {
            person: None if name is None else resource_of(person, name)
            for person, (version, name) in self.entries.items()
            if (name is not None if since is None else since < version <= until)
        }
        assert {change.id: change.resource for change in found} == expected
        assert len(found) == len(expected)

    @invariant()
    def the_living_are_known_by_their_fingerprints(self) -> None:
        expected = {
            person: make_staged(person, name).fingerprint
            for person, (_, name) in self.entries.items()
            if name is not None
        }
        assert self.runner.run(self.store.fingerprints(PEOPLE, USER)) == expected

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()


def resource_of(person: SourceId, name: str) -> SourceResource:
    return make_staged(person, name).resource


TestSnapshotFeed = SnapshotFeed.TestCase
TestSnapshotFeed.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
