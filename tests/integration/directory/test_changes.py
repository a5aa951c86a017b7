"""Reads of changes on a real directory: nothing is missed, nobody is taken to be gone who is not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from directory.configuration import PEOPLE, SUFFIX, Settings
from directory.entries import Entry
from directory.population import people
from directory.slapd import Slapd
from directory.sources import PERSONS, Source, Whole
from usher.contracts.source import ReadComplete, Watermark
from usher.core.errors import WatermarkExpired
from usher.core.model.resources import ResourceType, SourceId
from usher.sources.ldap.settings import Branch, Changes

pytestmark = pytest.mark.usefixtures("nothing_stays")

COUNT = 40
TIME = "0101000000.000000Z#000000#000#000000"
AT_WORK = f"(&{PERSONS}(!(employeeType=left)))"


def slapd_with_people(folder: Any, session_log: int) -> Iterator[Slapd]:
    slapd = Slapd(folder, Settings(session_log=session_log))
    slapd.load(people(COUNT))
    with slapd:
        yield slapd


@pytest.fixture(scope="module")
def remembering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """An instance that tells who was deleted. Each test changes people of its own."""
    yield from slapd_with_people(tmp_path_factory.mktemp("remembering"), 100)


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """An instance that names all who are there instead."""
    yield from slapd_with_people(tmp_path_factory.mktemp("forgetful"), 0)


def source_of(slapd: Slapd, changes: Changes, **others: Any) -> Source:
    usual: dict[str, Any] = {"users": Branch(PEOPLE, AT_WORK), "changes": changes, **others}
    return Source.of(slapd, **usual)


def id_of(found: Whole, entry: Entry) -> SourceId:
    return next(each.id for each in found.resources if each.attributes["uid"] == entry.text("uid"))


def next_second() -> None:
    """Until the directory's clock, which is ours, shows another second."""
    time.sleep(1.0 - time.time() % 1.0)


# --- by modifyTimestamp


async def test_changes_begin_after_two_whole_reads(remembering: Slapd) -> None:
    source, entry = source_of(remembering, Changes.MODIFY_TIMESTAMP), people(1)[0]
    first = await source.read()
    with pytest.raises(WatermarkExpired):
        await source.changes(first.watermark)
    second = await source.read(first.watermark)
    remembering.modify(entry.dn, {"title": ["Changed"]})
    found = await source.changes(second.watermark)

    assert found.resources[id_of(second, entry)]["jobTitle"] == "Changed"
    assert found.end is not None
    assert found.end.present is None


async def test_what_has_not_changed_for_two_seconds_is_not_read_again(remembering: Slapd) -> None:
    source, entry = source_of(remembering, Changes.MODIFY_TIMESTAMP), people(2)[1]
    next_second()
    remembering.modify(entry.dn, {"title": ["Changed"]})
    found = await source.read()
    since = (await source.read(found.watermark)).watermark
    for _ in range(2):
        changed = await source.changes(since)
        assert list(changed.resources) == [id_of(found, entry)]
        since = changed.watermark


async def test_a_change_behind_the_readers_back_is_in_the_next_read(remembering: Slapd) -> None:
    source = source_of(remembering, Changes.MODIFY_TIMESTAMP, page_size=10)
    former = await source.read()
    first, last = former.resources[0], former.resources[-1]
    next_second()
    async with source.open() as reader:
        reading = aiter(reader.fetch(ResourceType.USER, former.watermark))
        await anext(reading)
        remembering.modify(str(first.attributes["dn"]), {"title": ["Behind"]})
        next_second()
        remembering.modify(str(last.attributes["dn"]), {"title": ["Before"]})
        *_, end = [item async for item in reading]
    assert isinstance(end, ReadComplete)
    assert end.watermark is not None
    assert json.loads(end.watermark)["newest"] > json.loads(former.watermark)["newest"]

    found = await source.changes(end.watermark)
    assert found.resources[first.id]["jobTitle"] == "Behind"


async def test_a_change_in_the_very_second_of_the_last_read_is_not_missed(remembering: Slapd) -> None:
    source, entry = source_of(remembering, Changes.MODIFY_TIMESTAMP), people(3)[2]
    found = await source.read()
    since = (await source.read(found.watermark)).watermark
    next_second()
    for title in ("One", "Two", "Three"):
        remembering.modify(entry.dn, {"title": [title]})
        changed = await source.changes(since)
        assert changed.resources[id_of(found, entry)]["jobTitle"] == title
        since = changed.watermark
    assert changed.end is not None


async def test_where_nobody_is_found_any_more_with_the_time_that_was_the_newest_everything_is_read(
    remembering: Slapd,
) -> None:
    source, entry = source_of(remembering, Changes.MODIFY_TIMESTAMP), people(6)[5]
    next_second()
    remembering.modify(entry.dn, {"title": ["Newest"]})
    since = (await source.read((await source.read()).watermark)).watermark
    assert list((await source.changes(since)).resources) == [id_of(await source.read(), entry)]
    remembering.delete(entry.dn)
    with pytest.raises(WatermarkExpired):
        await source.changes(since)


async def test_who_falls_out_of_the_filter_is_told_as_gone_and_a_renamed_one_is_not(remembering: Slapd) -> None:
    source, (leaver, renamed) = source_of(remembering, Changes.MODIFY_TIMESTAMP), people(5)[3:]
    found = await source.read()
    since = (await source.read(found.watermark)).watermark
    remembering.modify(leaver.dn, {"employeeType": ["left"]})
    remembering.rename(renamed.dn, "uid=renamed-by-time")
    changed = await source.changes(since)

    assert id_of(found, leaver) in changed.gone
    assert id_of(found, leaver) not in changed.resources
    assert changed.resources[id_of(found, renamed)]["uid"] == "renamed-by-time"
    assert id_of(found, renamed) not in changed.gone


@pytest.mark.parametrize(
    "others",
    [
        {"users": Branch(PEOPLE, PERSONS)},
        {"users": Branch(SUFFIX, AT_WORK)},
        {"id_attribute": "uid"},
        {"changes": Changes.SYNCREPL},
    ],
)
@pytest.mark.parametrize("changes", [Changes.MODIFY_TIMESTAMP, Changes.SYNCREPL])
async def test_a_watermark_of_another_search_says_nothing(
    remembering: Slapd, changes: Changes, others: dict[str, Any]
) -> None:
    source = source_of(remembering, changes)
    since = (await source.read((await source.read()).watermark)).watermark
    await source.changes(since)
    other = replace(source, settings=replace(source.settings, **others))
    if other.settings == source.settings:
        other = replace(source, settings=replace(source.settings, changes=Changes.MODIFY_TIMESTAMP))
    with pytest.raises(WatermarkExpired):
        await other.changes(since)


# --- by content synchronization


async def test_where_nothing_changed_nobody_is_told_and_the_watermark_stays(remembering: Slapd) -> None:
    source = source_of(remembering, Changes.SYNCREPL)
    since = (await source.read()).watermark
    found = await source.changes(since)

    assert (found.resources, found.gone) == ({}, [])
    assert found.end is not None
    assert found.end.present is None
    assert found.watermark == since


@pytest.mark.parametrize("log", ["remembering", "forgetful"])
async def test_a_refresh_tells_who_changed_who_was_renamed_and_who_is_gone(
    remembering: Slapd, forgetful: Slapd, log: str
) -> None:
    slapd = remembering if log == "remembering" else forgetful
    source, (changed, renamed, gone, left) = source_of(slapd, Changes.SYNCREPL), people(14)[10:]
    former = await source.read()
    slapd.modify(changed.dn, {"title": ["Changed"]})
    slapd.rename(renamed.dn, "uid=renamed-by-refresh")
    slapd.delete(gone.dn)
    slapd.modify(left.dn, {"employeeType": ["left"]})
    found = await source.changes(former.watermark)

    ids = {name: id_of(former, entry) for name, entry in zip("crgl", (changed, renamed, gone, left), strict=True)}
    assert found.resources[ids["c"]]["jobTitle"] == "Changed"
    assert found.resources[ids["r"]]["uid"] == "renamed-by-refresh"
    assert set(found.resources) == {ids["c"], ids["r"]}
    assert found.end is not None
    everybody = {each.id for each in former.resources}
    if log == "remembering":
        assert found.end.present is None
        assert set(found.gone) & everybody == {ids["g"], ids["l"]}
    else:
        assert found.end.present is not None
        assert everybody - set(found.end.present) == {ids["g"], ids["l"]}
    again = await source.changes(found.watermark)
    assert (again.resources, again.gone) == ({}, [])


async def test_a_whole_read_by_refresh_is_that_by_pages(remembering: Slapd) -> None:
    paged = await source_of(remembering, Changes.MODIFY_TIMESTAMP).read()
    refreshed = await source_of(remembering, Changes.SYNCREPL).read()

    assert refreshed.by_id == paged.by_id
    assert refreshed.end is not None
    assert paged.end is not None
    assert refreshed.end.attributes == paged.end.attributes


def _cookie(watermark: Watermark, **others: str) -> Watermark:
    return Watermark(json.dumps({**json.loads(watermark), **others}))


async def test_a_cookie_from_before_the_log_brings_everybody_or_a_whole_read(remembering: Slapd) -> None:
    source = source_of(remembering, Changes.SYNCREPL)
    former = await source.read()
    found = await source.changes(_cookie(former.watermark, cookie=f"rid=000,csn=2001{TIME}"))

    assert set(found.resources) == {each.id for each in former.resources}
    assert found.end is not None
    assert found.end.present is not None
    assert set(found.end.present) == set(found.resources)


async def test_a_cookie_that_is_newer_than_a_restored_directory_asks_for_a_whole_read(remembering: Slapd) -> None:
    source = source_of(remembering, Changes.SYNCREPL)
    former = await source.read()
    with pytest.raises(WatermarkExpired):
        await source.changes(_cookie(former.watermark, cookie=f"rid=000,csn=2999{TIME}"))
