"""Made-up people: plausible, awkward where it matters, and the same every time."""

from __future__ import annotations

import re

from ldap.dn import str2dn

from directory.entries import Entry, to_ldif
from directory.names import AWKWARD
from directory.population import AWKWARD_EVERY, groups, people


def test_person_number_n_is_the_same_whatever_the_count() -> None:
    assert people(300)[:100] == people(100)


def test_what_identifies_a_person_is_unique() -> None:
    everybody = people(5000)
    for name in ("uid", "mail", "employeeNumber"):
        assert len({person.text(name) for person in everybody}) == 5000
    assert len({person.dn.casefold() for person in everybody}) == 5000


def test_every_awkward_name_is_in_a_dn_and_comes_out_of_it_whole() -> None:
    everybody = people(AWKWARD_EVERY * len(AWKWARD))
    named = {person.text("displayName"): person for person in everybody if person.dn.startswith("cn=")}
    assert set(named) == {f"{given} {family}" if given else family for given, family in AWKWARD}
    for name, person in named.items():
        assert str2dn(person.dn)[0][0][:2] == ("cn", name)


def test_managers_are_people_who_came_before() -> None:
    seen: set[str] = set()
    for person in people(1000):
        assert not seen or person.text("manager") in seen
        seen.add(person.dn)


def test_members_of_groups_are_people_and_no_group_is_empty() -> None:
    everybody = people(100)
    known = {person.dn for person in everybody}
    for group in groups(40, everybody):
        assert group.attributes["member"]
        assert known.issuperset(map(str, group.attributes["member"]))
    assert len({group.dn for group in groups(40, everybody)}) == 40


def test_ldif_is_ascii_and_says_what_is_no_plain_text_in_base64() -> None:
    values = ("plain", "", " led", "trailed ", ":", "<", "a\nb", "é", b"\xff")
    (record,) = to_ldif([Entry("cn=é", {"cn": values})])
    assert record.isascii()
    assert re.findall(r"^cn(::?) (.*)$", record, re.MULTILINE) == [
        (":", "plain"), (":", ""), ("::", "IGxlZA=="), ("::", "dHJhaWxlZCA="), ("::", "Og=="), ("::", "PA=="),
        ("::", "YQpi"), ("::", "w6k="), ("::", "/w=="),
    ]  # fmt: skip
    assert record.startswith("dn:: ")
    assert record.endswith("\n\n")
