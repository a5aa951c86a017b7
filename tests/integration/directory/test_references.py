"""Who refers to whom, on a real directory: ids leave the source, and names don't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from directory.configuration import GROUPS, PEOPLE, SUFFIX, Settings
from directory.entries import Entry
from directory.slapd import Slapd
from directory.sources import PERSONS, Changed, Source, Whole
from usher.contracts.source import ReadComplete, Watermark
from usher.core.errors import SpecError
from usher.core.model.resources import ResourceType, SourceId, Value
from usher.sources.ldap import references
from usher.sources.ldap.settings import Branch, Changes

pytestmark = pytest.mark.usefixtures("nothing_stays")

CLASS: Final = ["inetOrgPerson"]
POSIX: Final = ("inetOrgPerson", "posixAccount")
BOTH: Final = (Changes.MODIFY_TIMESTAMP, Changes.SYNCREPL)


@pytest.fixture
def slapd(tmp_path: Any) -> Iterator[Slapd]:
    """An instance of the test's own, with ada, bob and eve, and without a group."""
    made = Slapd(tmp_path / "slapd", Settings(session_log=100))
    with made:
        for name in ("ada", "bob", "eve"):
            add_person(made, name)
        yield made


def add_person(slapd: Slapd, name: str, **others: list[str]) -> str:
    """The DN of somebody new."""
    dn = f"uid={name},{PEOPLE}"
    slapd.add(dn, {"objectClass": ["inetOrgPerson"], "uid": [name], "cn": [name], "sn": [name], **others})
    return dn


def add_group(slapd: Slapd, name: str, *members: str) -> str:
    """The DN of a new group."""
    dn = f"cn={name},{GROUPS}"
    slapd.add(dn, {"objectClass": ["groupOfNames"], "cn": [name], "member": members})
    return dn


def by_name(found: Whole) -> dict[str, SourceId]:
    return {str(each.attributes.get("uid") or each.attributes["cn"]): each.id for each in found.resources}


async def both(source: Source) -> tuple[dict[str, SourceId], dict[str, Mapping[str, Value]]]:
    """In one conversation, as the engine reads: the ids of people and groups by name, and the groups."""
    found = {one: Whole() for one in ResourceType}
    async with source.open() as reader:
        for resource_type, whole in found.items():
            async for item in reader.fetch(resource_type, None):
                if not isinstance(item, ReadComplete):
                    whole.resources += item
    groups = found[ResourceType.GROUP]
    ids = {**by_name(found[ResourceType.USER]), **by_name(groups)}
    return ids, {str(each.attributes["cn"]): each.attributes for each in groups.resources}


def ids_of(ids: Mapping[str, SourceId], *names: str) -> tuple[str, ...]:
    return tuple(sorted(ids[name] for name in names))


async def marks(source: Source, resource_type: ResourceType) -> Watermark:
    """Where changes begin: after two whole reads."""
    return (await source.read((await source.read(None, resource_type)).watermark, resource_type)).watermark


# --- whole reads


@pytest.mark.parametrize("changes", BOTH)
async def test_members_are_found_in_whatever_case_and_spacing_they_are_named(slapd: Slapd, changes: Changes) -> None:
    add_group(slapd, "team", f"UID=Ada, OU=People,{SUFFIX.upper()}", f"uid = BOB,{PEOPLE}")
    ids, groups = await both(Source.of(slapd, changes=changes))

    assert groups["team"]["members"] == ids_of(ids, "ada", "bob")


@pytest.mark.parametrize("changes", BOTH)
async def test_a_group_in_a_group_is_its_id_even_if_it_comes_later_or_in_a_circle(
    slapd: Slapd, changes: Changes
) -> None:
    inner, outer = f"cn=inner,{GROUPS}", f"cn=outer,{GROUPS}"
    add_group(slapd, "outer", inner, f"uid=ada,{PEOPLE}", outer)
    add_group(slapd, "inner", outer)
    ids, groups = await both(Source.of(slapd, changes=changes, page_size=1))

    assert groups["outer"]["members"] == ids_of(ids, "inner", "ada", "outer")
    assert groups["inner"]["members"] == ids_of(ids, "outer")


@pytest.mark.parametrize("changes", BOTH)
async def test_who_is_outside_of_the_bases_or_is_nobody_stays_as_a_name(slapd: Slapd, changes: Changes) -> None:
    nobody = f"uid=nobody,{PEOPLE}"
    add_group(slapd, "team", f"cn=reader , ou=accounts,{SUFFIX}", nobody, f"uid=ada,{PEOPLE}")
    ids, groups = await both(Source.of(slapd, changes=changes))

    assert groups["team"]["members"] == tuple(sorted([f"cn=reader,ou=accounts,{SUFFIX}", nobody, ids["ada"]]))


@pytest.mark.parametrize("changes", BOTH)
async def test_whom_the_filter_leaves_out_has_an_id_for_when_they_come_back(slapd: Slapd, changes: Changes) -> None:
    add_group(slapd, "team", f"uid=ada,{PEOPLE}", f"uid=bob,{PEOPLE}")
    slapd.modify(f"uid=eve,{PEOPLE}", {"manager": [f"uid=bob,{PEOPLE}"]})
    everybody, _ = await both(Source.of(slapd, changes=changes))
    source = Source.of(slapd, changes=changes, users=Branch(PEOPLE, f"(&{PERSONS}(!(uid=bob)))"))
    _, groups = await both(source)
    (eve,) = (each for each in (await source.read()).resources if each.attributes["uid"] == "eve")

    assert groups["team"]["members"] == ids_of(everybody, "ada", "bob")
    assert eve.attributes["manager"] == everybody["bob"]


@pytest.mark.parametrize("changes", BOTH)
@pytest.mark.parametrize("lookups", [0, 1, 100])
async def test_a_manager_who_comes_later_in_the_same_read_is_an_id(
    slapd: Slapd, changes: Changes, lookups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "LOOKUPS", lookups)
    slapd.modify(f"uid=ada,{PEOPLE}", {"manager": [f"uid=EVE,{PEOPLE}"]})
    slapd.modify(f"uid=bob,{PEOPLE}", {"manager": [f"uid=ada,{PEOPLE}"]})
    slapd.modify(f"uid=eve,{PEOPLE}", {"manager": [f"uid=bob,{PEOPLE}"]})
    found = await Source.of(slapd, changes=changes, page_size=1, groups=None).read()
    ids = by_name(found)

    managers = {each.attributes["uid"]: each.attributes["manager"] for each in found.resources}
    assert managers == {"ada": ids["eve"], "bob": ids["ada"], "eve": ids["bob"]}


async def test_a_group_of_five_thousand_has_all_of_its_members(slapd: Slapd) -> None:
    names = [f"p{number}" for number in range(5000)]
    slapd.stop()
    slapd.load(
        Entry(f"uid={name},{PEOPLE}", {"objectClass": CLASS, "uid": [name], "cn": [name], "sn": [name]})
        for name in names
    )
    slapd.start()
    add_group(slapd, "everybody", *(f"uid={name.upper()},{PEOPLE}" for name in names))
    ids, groups = await both(Source.of(slapd))

    assert groups["everybody"]["members"] == ids_of(ids, *names)


async def test_members_by_uid_and_by_unique_name_are_ids(slapd: Slapd) -> None:
    for number, name in enumerate(("una", "UDO")):
        add_person(slapd, name, objectClass=list(POSIX), uidNumber=[f"{number}"], gidNumber=["1"], homeDirectory=["/"])
    slapd.add(
        f"cn=posix,{GROUPS}",
        {"objectClass": ["posixGroup"], "cn": ["posix"], "gidNumber": ["1"], "memberUid": ["una", "udo", "gone"]},
    )
    slapd.add(
        f"cn=unique,{GROUPS}",
        {
            "objectClass": ["groupOfUniqueNames"],
            "cn": ["unique"],
            "uniqueMember": [f"uid=ada,{PEOPLE}#'0101'B", f"uid=bob,{PEOPLE}"],
        },
    )
    ids, posix = await both(
        Source.of(slapd, member_attribute="MemberUid", groups=Branch(GROUPS, "(objectClass=posixGroup)"))
    )
    _, unique = await both(
        Source.of(slapd, member_attribute="uniqueMember", groups=Branch(GROUPS, "(objectClass=groupOfUniqueNames)"))
    )

    assert posix["posix"]["members"] == tuple(sorted(["gone", ids["una"], ids["UDO"]]))
    assert unique["unique"]["members"] == ids_of(ids, "ada", "bob")


async def test_a_uid_of_two_people_names_neither_of_them(slapd: Slapd) -> None:
    add_person(slapd, "two", uid=["two", "ADA"])
    slapd.add(
        f"cn=posix,{GROUPS}",
        {"objectClass": ["posixGroup"], "cn": ["posix"], "gidNumber": ["1"], "memberUid": ["ada", "bob"]},
    )
    ids, groups = await both(
        Source.of(slapd, member_attribute="memberUid", groups=Branch(GROUPS, "(objectClass=posixGroup)"))
    )

    assert groups["posix"]["members"] == tuple(sorted(["ada", ids["bob"]]))


async def test_a_base_of_groups_that_is_not_there_is_no_fault_of_the_people(slapd: Slapd) -> None:
    slapd.modify(f"uid=ada,{PEOPLE}", {"manager": [f"uid=nobody,{PEOPLE}"]})
    source = Source.of(slapd, groups=Branch(f"ou=none,{SUFFIX}", "(objectClass=groupOfNames)"))

    assert len((await source.read()).resources) == 3
    with pytest.raises(SpecError) as caught:
        await source.read(resource_type=ResourceType.GROUP)
    assert caught.value.path == "groups.baseDN"


# --- names that change


@pytest.mark.parametrize("changes", BOTH)
async def test_a_rename_of_a_person_changes_no_group_whose_entry_follows(slapd: Slapd, changes: Changes) -> None:
    group = add_group(slapd, "team", f"uid=ada,{PEOPLE}", f"uid=bob,{PEOPLE}")
    source = Source.of(slapd, changes=changes)
    _, before = await both(source)
    slapd.rename(f"uid=ada,{PEOPLE}", "uid=zoe")
    slapd.modify(group, {"member": [f"uid=bob,{PEOPLE}", f"uid=zoe,{PEOPLE}"]})
    _, after = await both(source)

    assert after == before


@pytest.mark.parametrize("changes", BOTH)
async def test_a_name_that_was_given_to_somebody_else_leads_to_them(slapd: Slapd, changes: Changes) -> None:
    add_group(slapd, "team", f"uid=ada,{PEOPLE}")
    source = Source.of(slapd, changes=changes)
    former, _ = await both(source)
    slapd.delete(f"uid=ada,{PEOPLE}")
    add_person(slapd, "ada")
    ids, groups = await both(source)

    assert ids["ada"] != former["ada"]
    assert groups["team"]["members"] == ids_of(ids, "ada")


# --- reads of changes


async def changes_of(source: Source, since: Mapping[ResourceType, Watermark]) -> dict[ResourceType, Changed]:
    """With a fresh conversation for each type: nothing is known that the read itself does not show."""
    return {one: await source.changes(mark, one) for one, mark in since.items()}


@pytest.mark.parametrize("changes", BOTH)
@pytest.mark.parametrize("lookups", [1, 100])
async def test_a_group_whose_members_changed_comes_with_all_of_them(
    slapd: Slapd, changes: Changes, lookups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "LOOKUPS", lookups)
    group = add_group(slapd, "team", f"uid=ada,{PEOPLE}", f"uid=bob,{PEOPLE}")
    source = Source.of(slapd, changes=changes)
    ids, _ = await both(source)
    since = await marks(source, ResourceType.GROUP)
    slapd.modify(group, {"member": [f"uid=Bob,{PEOPLE}", f"uid=Eve,{PEOPLE}", group]})
    found = await source.changes(since, ResourceType.GROUP)

    assert found.resources[ids["team"]]["members"] == ids_of(ids, "bob", "eve", "team")


@pytest.mark.parametrize("changes", BOTH)
async def test_a_joiner_in_a_group_and_a_new_manager_are_ids_in_a_read_of_changes(
    slapd: Slapd, changes: Changes
) -> None:
    group = add_group(slapd, "team", f"uid=ada,{PEOPLE}")
    source = Source.of(slapd, changes=changes)
    since = {one: await marks(source, one) for one in ResourceType}
    new = add_person(slapd, "new", manager=[f"uid=ada,{PEOPLE}"])
    slapd.modify(group, {"member": [f"uid=ada,{PEOPLE}", new]})
    slapd.modify(f"uid=ada,{PEOPLE}", {"manager": [new]})
    found = await changes_of(source, since)
    ids, _ = await both(source)

    people, groups = found[ResourceType.USER].resources, found[ResourceType.GROUP].resources
    assert (people[ids["new"]]["manager"], people[ids["ada"]]["manager"]) == (ids["ada"], ids["new"])
    assert groups[ids["team"]]["members"] == ids_of(ids, "ada", "new")


@pytest.mark.parametrize("changes", BOTH)
async def test_a_deleted_group_is_told_where_deletions_are(slapd: Slapd, changes: Changes) -> None:
    group = add_group(slapd, "team", f"uid=ada,{PEOPLE}")
    add_group(slapd, "changed-last", f"uid=ada,{PEOPLE}")  # stays: without the newest entry a read expires
    source = Source.of(slapd, changes=changes)
    ids, _ = await both(source)
    since = await marks(source, ResourceType.GROUP)
    slapd.delete(group)
    found = await source.changes(since, ResourceType.GROUP)

    assert (ids["team"] in found.gone) is (changes is Changes.SYNCREPL)
