"""Active Directory, on a domain controller of Samba's: ids, who is disabled, and what changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from directory.samba import ADMINISTRATOR, DISABLED, FORMER, PERSON, READER, STAFF, Samba, source_of
from directory.sources import Changed, Source, Whole
from integration.directory.conftest import sockets
from usher.contracts.source import Watermark
from usher.core.errors import SpecError, WatermarkExpired
from usher.core.model.resources import ResourceType, SourceId
from usher.sources.ldap import dirsync
from usher.sources.ldap.settings import Branch, Changes

GROUP: Final = ResourceType.GROUP
USER: Final = ResourceType.USER
GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


pytestmark = pytest.mark.usefixtures("nothing_stays")


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    """A domain controller; each test makes users and groups of its own. Nothing of it stays for the next module."""
    before = sockets()
    with Samba(tmp_path_factory.mktemp("domain") / "samba") as made:
        yield made
    assert sockets() == before


def ids(found: Whole) -> dict[str, SourceId]:
    return {str(each.attributes["cn"]): each.id for each in found.resources}


async def changes_after(
    source: Source, resource_type: ResourceType, change: Callable[[], object]
) -> tuple[dict[str, SourceId], Changed]:
    """The ids before the change, and what is told of it."""
    before = await source.read(None, resource_type)
    change()
    return ids(before), await source.changes(before.watermark, resource_type)


# --- whole reads


@pytest.mark.parametrize("changes", [Changes.MODIFY_TIMESTAMP, Changes.DIRSYNC])
async def test_users_and_groups_have_guids_and_refer_to_each_other_by_them(domain: Samba, changes: Changes) -> None:
    tag = changes.value.lower()
    boss = domain.add_user(f"boss-{tag}")
    clerk = domain.add_user(f"clerk-{tag}", control=DISABLED, manager=boss)
    inner = domain.add_group(f"inner-{tag}", clerk)
    domain.add_group(f"outer-{tag}", inner, boss, ADMINISTRATOR.dn)
    source = source_of(domain, changes)
    people, groups = await source.read(), await source.read(resource_type=GROUP)
    named = {**ids(people), **ids(groups)}

    assert all(map(GUID.fullmatch, named.values()))
    stored = people.by("cn")
    assert stored[f"clerk-{tag}"]["manager"] == named[f"boss-{tag}"]
    assert (stored[f"clerk-{tag}"]["accountEnabled"], stored[f"boss-{tag}"]["accountEnabled"]) == (False, True)
    teams = groups.by("cn")
    assert teams[f"inner-{tag}"]["members"] == (named[f"clerk-{tag}"],)
    outside = "CN=Administrator,CN=Users,DC=usher,DC=test"
    expected = sorted([named[f"inner-{tag}"], named[f"boss-{tag}"], outside])
    assert teams[f"outer-{tag}"]["members"] == tuple(expected)


# --- changes


async def test_joiners_movers_and_who_is_disabled_are_in_the_next_read(domain: Samba) -> None:
    dn, other = domain.add_user("mover"), domain.add_user("disabled")
    source = source_of(domain)

    def change() -> None:
        domain.modify(dn, {"title": ["Director"], "manager": [other]})
        domain.modify(other, {"userAccountControl": [str(int(DISABLED) | 0x20)]})
        domain.add_user("joiner")

    _, found = await changes_after(source, USER, change)
    now = {each["cn"]: each for each in found.resources.values()}
    assert set(now) == {"mover", "disabled", "joiner"}
    assert (now["mover"]["jobTitle"], now["disabled"]["accountEnabled"]) == ("Director", False)
    assert now["mover"]["manager"] == now["disabled"]["objectId"]
    again = await source.changes(found.watermark)
    assert (again.resources, again.gone) == ({}, [])


async def test_who_is_deleted_moved_away_or_falls_out_of_the_filter_is_gone(domain: Samba) -> None:
    leavers = {name: domain.add_user(name) for name in ("deleted", "moved", "outside", "renamed")}

    def change() -> None:
        domain.delete(leavers["deleted"])
        domain.move(leavers["moved"], "moved", FORMER)
        domain.modify(leavers["outside"], {"title": ["left"]})
        domain.rename(leavers["renamed"], "CN=another name")

    source = source_of(domain, users=Branch(STAFF, f"(&{PERSON}(!(title=left)))"))
    before, found = await changes_after(source, USER, change)
    gone = {before["deleted"], before["moved"], before["outside"]}
    assert gone <= set(found.gone)
    assert found.deleted & set(before.values()) == {before["deleted"]}, "only a tombstone is a deletion that is told"
    assert before["renamed"] not in found.gone
    assert found.resources[before["renamed"]]["cn"] == "another name"
    assert not gone & set(found.resources)


async def test_a_group_whose_members_changed_comes_with_all_of_them_and_a_deleted_one_is_gone(domain: Samba) -> None:
    members = [domain.add_user(f"member-{number}") for number in range(4)]
    group, other = domain.add_group("team", *members[:3]), domain.add_group("dissolved")

    def change() -> None:
        domain.change_members(group, add=members[3:], remove=members[:1])
        domain.delete(other)

    source = source_of(domain)
    before, found = await changes_after(source, GROUP, change)
    people = ids(await source_of(domain, Changes.MODIFY_TIMESTAMP).read())
    assert found.resources[before["team"]]["members"] == tuple(sorted(people[f"member-{n}"] for n in (1, 2, 3)))
    assert before["dissolved"] in found.deleted


async def test_who_was_deleted_and_comes_back_from_the_tombstone_is_the_same_person(domain: Samba) -> None:
    dn = domain.add_user("restored")
    source = source_of(domain)
    before, found = await changes_after(source, USER, lambda: domain.delete(dn))
    assert before["restored"] in found.deleted
    domain.restore(before["restored"], dn)
    again = await source.changes(found.watermark)
    assert (before["restored"] in again.resources, again.gone) == (True, [])


async def test_a_rename_of_a_person_changes_no_group_and_a_deletion_takes_them_out(domain: Samba) -> None:
    one, other = domain.add_user("renamed-member"), domain.add_user("deleted-member")
    domain.add_group("stable", one, other)
    source = source_of(domain, Changes.MODIFY_TIMESTAMP)
    people = ids(await source.read())
    both = tuple(sorted((people["renamed-member"], people["deleted-member"])))
    domain.rename(one, "CN=renamed-member-2")
    assert (await source.read(resource_type=GROUP)).by("cn")["stable"]["members"] == both
    domain.delete(other)
    assert (await source.read(resource_type=GROUP)).by("cn")["stable"]["members"] == (people["renamed-member"],)


async def test_a_folder_that_moved_asks_for_a_whole_read(domain: Samba) -> None:
    folder = f"OU=Team,{STAFF}"
    domain.add(folder, {"objectClass": ["organizationalUnit"]})
    domain.add_user("in-folder", folder=folder)

    with pytest.raises(WatermarkExpired):
        await changes_after(source_of(domain), USER, lambda: domain.rename(folder, "OU=Other"))


async def test_more_changes_than_are_worth_it_ask_for_a_whole_read(
    domain: Samba, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(domain)
    since = (await source.read()).watermark
    for number in range(3):
        domain.add_user(f"flood-{number}")
    monkeypatch.setattr(dirsync, "CHUNK", 2)
    assert len((await source.changes(since)).resources) == 3
    monkeypatch.setattr(dirsync, "MAX_CHANGED", 2)
    with pytest.raises(WatermarkExpired):
        await source.changes(since)


async def test_a_whole_read_goes_on_from_the_cookie_of_the_one_before(domain: Samba) -> None:
    source = source_of(domain)
    first = await source.read()
    domain.add_user("between")
    second = await source.read(first.watermark)
    domain.add_user("behind")

    found = await source.changes(second.watermark)
    assert {each["cn"] for each in found.resources.values()} == {"behind"}


async def test_an_account_without_the_right_to_replicate_is_told_so(domain: Samba) -> None:
    with pytest.raises(SpecError) as caught:
        await source_of(domain, account=READER).read()
    assert (caught.value.path, caught.value.reason) == ("changes", "AccessDenied")
    assert "Replicating Directory Changes" in str(caught.value)
    assert (await source_of(domain, Changes.MODIFY_TIMESTAMP, account=READER).read()).resources


async def test_a_cookie_that_is_none_asks_for_a_whole_read(domain: Samba) -> None:
    source = source_of(domain)
    mark = (await source.read()).watermark
    broken = Watermark(re.sub(r'"cookie":"[^"]+"', '"cookie":"bm9uZQ=="', mark))

    with pytest.raises(WatermarkExpired):
        await source.changes(broken)
    assert (await source.read(broken)).end is not None
