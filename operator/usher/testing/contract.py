"""What every target has to prove. Subclass `TargetContract` in a test module, give the fixture `app`, and run pytest.

    class TestMyTarget(TargetContract):
        has_versions = False

        @pytest.fixture
        async def app(self) -> AsyncIterator[AppUnderTest]:
            ...

Tests share no accounts: the app may be one for all of them, and need not be empty. What a target can't do is said by a
class attribute; the test then holds it to what follows from that, so nothing is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from typing import ClassVar, Final
from uuid import uuid4

import pytest

from usher.contracts.target import Complete, Page, TargetSession
from usher.core.errors import CycleError, ResourceError, ResourceGone, StaleImage, UniquenessTaken
from usher.core.model.plans import Amend, Create, Criterion, Delete, Delta, Replace, Stored, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.testing.app_under_test import AppUnderTest
from usher.testing.awkward import AWKWARD, STRANGE_IDS, list_whom_no_query_finds
from usher.testing.documents import read_at
from usher.testing.reference_contract import ReferenceContract

USER: Final = ResourceType.USER


class TargetContract(ReferenceContract):
    """The suite. Class attributes say what the target can do and which of its attributes the tests may use."""

    has_versions: ClassVar[bool] = True
    checks_versions: ClassVar[bool] = True
    """Whether a change of a stale version is refused. Without it the later of two changes wins."""
    enforces_uniqueness: ClassVar[bool] = True
    key: ClassVar[AttributePath] = AttributePath("userName")
    """The matching attribute: text, unique where the target enforces that."""
    text: ClassVar[AttributePath] = AttributePath("displayName")
    """A text attribute with one value, that may be absent."""
    nested: ClassVar[AttributePath] = AttributePath("name.givenName")
    """A sub-attribute, or another text attribute of a target that has none."""
    element: ClassVar[AttributePath] = AttributePath('emails[type eq "work"].value')
    """A value in an element that a filter selects, or another text attribute."""
    several: ClassVar[AttributePath] = AttributePath("roles")
    """An attribute with many values, each an object with a `value`."""
    beyond_queries: ClassVar[Collection[str]] = ()
    """What of AWKWARD its queries can't say: they are refused or find nobody, and only a list shows that user."""
    refused_ids: ClassVar[Collection[str]] = ()
    """What of STRANGE_IDS it takes for no id at all, and refuses to look for."""

    def values(self, key: str) -> dict[AttributePath, Json]:
        """What a create sends, besides what a test adds."""
        return {self.key: key, self.text: "Ada"}

    @pytest.fixture
    def name(self) -> str:
        """A value of the matching attribute that no other test uses."""
        return f"c{uuid4().hex}"

    # --- reading ---

    async def test_a_healthy_target_passes_the_check(self, app: AppUnderTest) -> None:
        async with app.open() as session:
            await session.check()

    async def test_refused_credentials_end_the_cycle(self, app: AppUnderTest) -> None:
        async with app.intrude() as session:
            with pytest.raises(CycleError) as caught:
                await session.check()
        assert caught.value.reason == "CredentialsRejected"

    async def test_a_created_user_is_found_by_the_matching_attribute(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name)
            hits = await session.find(USER, (Criterion(self.key, name),), frozenset({self.key}))
        assert [(hit.id, read_at(hit.attributes, self.key)) for hit in hits] == [(made.id, name)]

    @pytest.mark.parametrize("awkward", AWKWARD)
    async def test_awkward_characters_find_their_user_and_nobody_else(
        self, app: AppUnderTest, name: str, awkward: str
    ) -> None:
        async with app.open() as session:
            plain = await self._create(session, name)
            made = await self._create(session, name + awkward)
            others = await session.find(USER, (Criterion(self.key, name),), frozenset({self.key}))
            if awkward in self.beyond_queries:
                hits = await list_whom_no_query_finds(session, Criterion(self.key, name + awkward))
            else:
                hits = await session.find(USER, (Criterion(self.key, name + awkward),), frozenset({self.key}))
        assert [hit.id for hit in hits] == [made.id]
        assert [hit.id for hit in others] == [plain.id]

    async def test_a_query_that_nobody_answers_finds_nobody(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            assert not await session.find(USER, (Criterion(self.key, name),), frozenset({self.key}))

    async def test_all_comparisons_of_a_query_hold(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name, {self.element: f"{name}@example.com"})
            right, wrong = Criterion(self.element, f"{name}@example.com"), Criterion(self.element, "x@example.com")
            hits = await session.find(USER, (Criterion(self.key, name), right), frozenset())
            assert [hit.id for hit in hits] == [made.id]
            assert not await session.find(USER, (Criterion(self.key, name), wrong), frozenset())

    async def test_a_read_by_id_brings_what_was_asked_for(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name)
            read = await session.get(USER, made.id, frozenset({self.key, self.text}))
        assert read is not None
        assert read.id == made.id
        assert read.version == made.version
        assert [read_at(read.attributes, path) for path in (self.key, self.text)] == [name, "Ada"]

    @pytest.mark.parametrize("unknown", STRANGE_IDS)
    async def test_an_unknown_id_is_nobody(self, app: AppUnderTest, unknown: str) -> None:
        async with app.open() as session:
            with pytest.raises(ResourceError) if unknown in self.refused_ids else nullcontext():
                assert await session.get(USER, TargetId(unknown), frozenset({self.key})) is None

    async def test_a_list_over_several_pages_is_complete_and_names_nobody_twice(
        self, app: AppUnderTest, name: str
    ) -> None:
        async with app.open() as session:
            made = [(await self._create(session, f"{name}-{n}")).id for n in range(session.capabilities.page_size + 1)]
            items = [item async for item in session.list(USER, frozenset({self.key}))]
        listed = [resource.id for item in items if isinstance(item, Page) for resource in item.resources]
        assert len(items) > 2
        assert items[-1] == Complete(len(listed))
        assert not any(isinstance(item, Complete) for item in items[:-1])
        assert len(set(listed)) == len(listed)
        assert set(made) <= set(listed)

    async def test_a_session_that_knows_its_target_goes_on_as_before(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            session.tune(await session.discover())
            assert session.capabilities.page_size > 0
            made = await self._create(session, name)
            hits = await session.find(USER, (Criterion(self.key, name),), frozenset({self.key}))
        assert [hit.id for hit in hits] == [made.id]

    # --- writing ---

    async def test_a_create_stores_every_value(self, app: AppUnderTest, name: str) -> None:
        more: dict[AttributePath, Json] = {self.nested: "Ada", self.element: f"{name}@example.com"}
        async with app.open() as session:
            made = await self._create(session, name, more)
        document = await self._document(app, made.id)
        assert {path: read_at(document, path) for path in more} == more

    async def test_an_update_changes_nothing_but_its_delta(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name, {self.nested: "Ada", self.several: [{"value": "a"}]})
            before = await self._document(app, made.id)
            await self._update(session, app, made, {self.text: Replace("Grace")})
        after = await self._document(app, made.id)
        assert read_at(after, self.text) == "Grace"
        for path in (self.key, self.nested, self.several):
            assert read_at(after, path) == read_at(before, path)

    async def test_an_update_takes_all_of_its_edits(self, app: AppUnderTest, name: str) -> None:
        wanted: dict[AttributePath, Json] = {
            self.key: f"{name}-new",
            self.text: "Grace",
            self.nested: "Grace",
            self.element: f"{name}@example.com",
        }
        async with app.open() as session:
            made = await self._create(session, name)
            stored = await self._update(session, app, made, {path: Replace(value) for path, value in wanted.items()})
        document = await self._document(app, stored.id)
        assert {path: read_at(document, path) for path in wanted} == wanted

    @pytest.mark.parametrize("role", ["text", "nested", "element"])
    async def test_replacing_by_nothing_removes(self, app: AppUnderTest, name: str, role: str) -> None:
        path = {"text": self.text, "nested": self.nested, "element": self.element}[role]
        async with app.open() as session:
            made = await self._create(session, name, {path: "x@example.com"})
            await self._update(session, app, made, {path: Replace(None)})
        assert read_at(await self._document(app, made.id), path) is None

    async def test_a_filtered_element_is_added_once_and_then_changed(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            stored = await self._create(session, name)
            for value in ("one@example.com", "two@example.com"):
                stored = await self._update(session, app, stored, {self.element: Replace(value)})
        document = await self._document(app, stored.id)
        assert read_at(document, self.element) == "two@example.com"
        assert "one@example.com" not in json.dumps(document)

    async def test_amending_adds_and_removes_values_and_keeps_the_others(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name, {self.several: [{"value": "a"}, {"value": "b"}]})
            amend = Amend(add=({"value": "c"},), remove=({"value": "a"},))
            await self._update(session, app, made, {self.several: amend})
        held = read_at(await self._document(app, made.id), AttributePath(f"{self.several}.value"))
        assert isinstance(held, list)
        assert sorted(map(str, held)) == ["b", "c"]

    async def test_an_account_is_disabled_and_enabled_by_the_disable_path(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            path = session.capabilities.disable_paths.get(USER)
            stored = await self._create(session, name)
            for value in (False, True, False) if path is not None else ():
                stored = await self._update(session, app, stored, {path: Replace(value)} if path is not None else {})
                assert read_at(await self._document(app, stored.id), str(path)) is value

    async def test_an_echo_tells_what_the_target_holds(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name)
            stored = await self._update(session, app, made, {self.text: Replace("Grace")})
        assert stored.id == made.id
        for echo, expected in ((made.echo, "Ada"), (stored.echo, "Grace")):
            assert echo is None or read_at(echo.attributes, self.text) == expected

    # --- conflicts ---

    async def test_a_stale_version_is_refused_and_changes_nothing(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name)
            assert (made.version is not None) is self.has_versions
            fresh = await self._update(session, app, made, {self.text: Replace("Grace")})
            if not self.has_versions:
                return
            assert fresh.version != made.version
            with pytest.raises(StaleImage) if self.checks_versions else nullcontext():
                await self._update(session, app, made, {self.text: Replace("Joan")})
        kept = "Grace" if self.checks_versions else "Joan"
        assert read_at(await self._document(app, made.id), self.text) == kept

    async def test_a_taken_unique_value_is_refused_by_create_and_update(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name)
            other = await self._create(session, f"{name}-other")
            if not self.enforces_uniqueness:
                assert (await self._create(session, name)).id != made.id
                return
            with pytest.raises(UniquenessTaken):
                await self._create(session, name)
            with pytest.raises(UniquenessTaken):
                await self._update(session, app, other, {self.key: Replace(name)})
        assert read_at(await self._document(app, other.id), self.key) == f"{name}-other"

    async def test_a_deleted_user_is_gone_and_deleting_again_says_so(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name)
            await session.delete(Delete(USER, made.id))
            with pytest.raises(ResourceGone):
                await session.delete(Delete(USER, made.id))
            assert await session.get(USER, made.id, frozenset()) is None
            assert not await session.find(USER, (Criterion(self.key, name),), frozenset())
        assert await app.document(made.id) is None

    async def test_an_update_of_somebody_gone_says_so(self, app: AppUnderTest, name: str) -> None:
        async with app.open() as session:
            made = await self._create(session, name)
            await session.delete(Delete(USER, made.id))
            change = Update(USER, made.id, {self.text: Replace("Grace")}, {self.text: "Ada"}, None)
            with pytest.raises(ResourceGone):
                await session.update(change)

    # --- steps ---

    async def _create(
        self, session: TargetSession, key: str, more: Mapping[AttributePath, Json] | None = None
    ) -> Stored:
        return await session.create(Create(USER, {**self.values(key), **(more or {})}))

    async def _update(self, session: TargetSession, app: AppUnderTest, stored: Stored, delta: Delta) -> Stored:
        document = await self._document(app, stored.id)
        paths = {*delta, *(AttributePath(path.partition("].")[0] + "]") for path in delta if "]." in path)}
        before = {path: read_at(document, path) for path in paths}
        return await session.update(Update(USER, stored.id, delta, before, stored.version))

    async def _document(self, app: AppUnderTest, target_id: TargetId) -> Mapping[str, Json]:
        document = await app.document(target_id)
        assert document is not None
        return document
