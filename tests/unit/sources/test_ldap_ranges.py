"""Attributes that come in ranges: all of them, or no read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from usher.core.errors import IncompleteRead
from usher.sources.ldap import ranges
from usher.sources.ldap.ranges import whole_entries
from usher.transport.ldap.client import Attributes, Entry
from usher.transport.ldap.connection import DirectoryConnection


class Stub:
    """Answers a question for attributes as told; `asked` is what was asked."""

    def __init__(self, *answers: Attributes | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def entry(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        assert dn == "cn=g"
        self.asked += attributes
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return None if found is None else Entry(dn, found)


def some(first: int, last: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, last + 1)]


async def whole(attributes: Attributes, *answers: Attributes | None) -> tuple[Attributes, Stub]:
    stub = Stub(*answers)
    (entry,) = await whole_entries(cast(DirectoryConnection, stub), [Entry("cn=g", attributes)])
    return entry.attributes, stub


async def test_the_rest_is_asked_for_until_a_range_ends_in_a_star() -> None:
    found, stub = await whole(
        {"cn": [b"g"], "member;range=0-1": some(0, 1), "member": []},
        {"member;range=2-3": some(2, 3)},
        {"objectClass": [b"x"], "Member;Range=4-*": some(4, 4)},
    )

    assert found == {"cn": [b"g"], "member": some(0, 4)}
    assert stub.asked == ["member;range=2-*", "member;range=4-*"]


async def test_a_range_of_everything_needs_no_question() -> None:
    found, stub = await whole({"member;range=0-*": some(0, 1)}, None)

    assert found == {"member": some(0, 1)}
    assert stub.asked == []


async def test_an_entry_without_ranges_is_left_as_it_is() -> None:
    entry = Entry("cn=g", {"member": some(0, 1), "range": [b"0-1"]})

    assert (await whole_entries(cast(DirectoryConnection, Stub(None)), [entry]))[0] is entry


@pytest.mark.parametrize(
    ("attributes", "answers"),
    [
        ({"member;range=1-*": some(1, 2)}, [None]),
        ({"member;range=1-2": some(1, 2)}, [{"member;range=3-*": some(3, 3)}]),
        ({"member;range=0-1": some(0, 2)}, [{"member;range=2-*": some(2, 3)}]),
        ({"member;range=0-1": some(0, 1)}, [None]),
        ({"member;range=0-1": some(0, 1)}, [{}]),
        ({"member;range=0-1": some(0, 1)}, [{"member;range=2-*": []}]),
        ({"member;range=0-1": some(0, 1)}, [{"member;range=3-*": some(3, 4)}]),
        ({"member;range=0-1": some(0, 1)}, [{"other;range=2-*": some(2, 4)}]),
        ({"member;range=0-1": some(0, 1)}, [{"member": some(2, 4)}]),
        ({"member;range=0-1": some(0, 1)}, [{"member;range=2-1": []}]),
        ({"member;range=0-1": some(0, 1)}, [{"member;range=2-1": some(2, 2)}]),
        ({"member;range=0-1": some(0, 1)}, [{"member;range=2-5": some(2, 3)}]),
    ],
)
async def test_part_of_an_attribute_is_no_read(attributes: Attributes, answers: list[Attributes | None]) -> None:
    with pytest.raises(IncompleteRead) as caught:
        await whole(attributes, *answers)
    assert caught.value.detail == "cn=g"
    assert "cn=g" not in str(caught.value)


async def test_ranges_without_an_end_are_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MAX_QUESTIONS", 3)
    answers: list[Attributes | None] = [{f"member;range={n}-{n}": some(n, n)} for n in range(1, 10)]
    with pytest.raises(IncompleteRead):
        await whole({"member;range=0-0": some(0, 0)}, *answers)


async def test_more_values_than_anybody_has_are_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MAX_VALUES", 3)
    answers: list[Attributes | None] = [{f"member;range={n}-{n}": some(n, n)} for n in range(1, 10)]
    with pytest.raises(IncompleteRead):
        await whole({"member;range=0-0": some(0, 0)}, *answers)
