"""Made-up people and groups, the same for the same count: person number n does not depend on how many there are."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Final, TypeVar

from ldap.dn import escape_dn_chars

from directory.configuration import GROUPS, PEOPLE
from directory.entries import Entry
from directory.names import AWKWARD, FAMILY, GIVEN, PLACES, TEAMS, TITLES

AWKWARD_EVERY: Final = 50
"""Of so many people one has an awkward name, and a DN that begins with it; the others' begins with their uid."""
REPORTS: Final = 8
"""People to a manager."""
GROUP_SIZES: Final = (1, 3, 10, 40, 200)

_TYPES: Final = ("Employee", "Employee", "Employee", "Contractor", "Intern")
_DEPARTMENTS: Final = tuple(range(100, 600, 10))
_LETTERS: Final = str.maketrans({"ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ß": "ss", "ı": "i"})

_Value = TypeVar("_Value")


def people(count: int, seed: int = 1) -> list[Entry]:
    """Entries of inetOrgPerson below PEOPLE; uid, mail and employeeNumber are unique.

    Some have no givenName, title, mobile or l; the first has no manager, all others have one among those before.
    """
    chance = Random(seed)
    taken: Counter[str] = Counter()
    made: list[Entry] = []
    for number in range(count):
        awkward = number % AWKWARD_EVERY == AWKWARD_EVERY // 2
        if awkward:
            given, family = AWKWARD[number // AWKWARD_EVERY % len(AWKWARD)]
        else:
            given, family = _one(GIVEN, chance), _one(FAMILY, chance)
        name = f"{given} {family}" if given else family
        uid = _uid(given, family, taken)
        attributes: dict[str, tuple[str, ...]] = {
            "objectClass": ("inetOrgPerson",),
            "uid": (uid,),
            "sn": (family,),
            "displayName": (name,),
            "mail": (f"{uid}@example.com",),
            **_work(number, chance),
        }
        if given:
            attributes["givenName"] = (given,)
        if number:
            attributes["manager"] = (made[number // REPORTS].dn,)
        made.append(_placed(attributes, name, number, awkward=awkward))
    return made


def groups(count: int, members: Sequence[Entry], seed: int = 1) -> list[Entry]:
    """Entries of groupOfNames below GROUPS with some of the members each, at least one; IndexError for nobody."""
    chance = Random(seed)
    made = []
    for number in range(count):
        team, size = TEAMS[number % len(TEAMS)], GROUP_SIZES[number % len(GROUP_SIZES)]
        name = team if number < len(TEAMS) else f"{team} {number // len(TEAMS) + 1}"
        chosen = chance.sample(members, min(size, len(members))) or [members[0]]
        made.append(
            Entry(
                f"cn={escape_dn_chars(name)},{GROUPS}",
                {
                    "objectClass": ("groupOfNames",),
                    "cn": (name,),
                    "description": (f"Everybody in {name}",),
                    "member": tuple(member.dn for member in chosen),
                },
            )
        )
    return made


def _one(choices: Sequence[_Value], chance: Random) -> _Value:
    """One of them, at a third of the price of `Random.choice`."""
    return choices[int(chance.random() * len(choices))]


def _work(number: int, chance: Random) -> dict[str, tuple[str, ...]]:
    """What an employer knows of a person; telephone numbers are of the kind that is given to nobody."""
    place, language = _one(PLACES, chance)
    known: dict[str, tuple[str, ...]] = {
        "employeeNumber": (f"{100000 + number}",),
        "employeeType": (_one(_TYPES, chance),),
        "departmentNumber": (f"{_one(_DEPARTMENTS, chance)}",),
        "telephoneNumber": (f"+1 202 555 {number % 10000:04}",),
        "preferredLanguage": (language,),
    }
    if chance.random() < 0.9:
        known["title"] = (_one(TITLES, chance),)
    if chance.random() < 0.6:
        known["mobile"] = (f"+1 303 555 {number % 10000:04}",)
    if chance.random() < 0.95:
        known["l"] = (place,)
    return known


def _placed(attributes: dict[str, tuple[str, ...]], name: str, number: int, *, awkward: bool) -> Entry:
    """The entry with its cn and its DN; an awkward name that comes again has a number before it."""
    if not awkward:
        return Entry(f"uid={attributes['uid'][0]},{PEOPLE}", attributes | {"cn": (name,)})
    again = number // AWKWARD_EVERY // len(AWKWARD)
    own = f"{name}{again + 1}" if again else name
    return Entry(f"cn={escape_dn_chars(own)},{PEOPLE}", attributes | {"cn": (own,)})


def _uid(given: str, family: str, taken: Counter[str]) -> str:
    """ASCII, lower case, unique: a name in other letters gives `person`."""
    plain = ".".join(part for part in map(_ascii, (given, family)) if part) or "person"
    taken[plain] += 1
    return plain if taken[plain] == 1 else f"{plain}{taken[plain]}"


@lru_cache(maxsize=1024)
def _ascii(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.translate(_LETTERS)).lower()
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalnum())[:40]
