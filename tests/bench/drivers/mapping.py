"""A mapping of 12 attributes, 4 of them expressions, and a function that somebody wrote by hand for the same.

python -m bench.drivers.mapping PEOPLE PAIRS

Both give for each person the values by their paths, what the account is found by, and a digest of the values; that
these are the same is looked at first. Its last line is JSON, with a number for each pair:
  ours, theirs     CPU seconds a person. They take turns, also in going first; nothing collects garbage meanwhile
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

import orjson

from bench.broken import Broken
from directory.entries import Entry
from directory.population import people
from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.mappings import compile_mapping
from usher.core.model.plans import Desired
from usher.core.model.resources import SourceId, SourceResource, Value
from usher.core.sync.mapping import map_resource
from usher.core.sync.rules import CompiledMapping
from usher.sources.ldap.names import PERSON_NAMES
from usher.testing.clock import fake_surroundings

PASSES: Final = 10
"""How often everybody is mapped on each side of a pair, in turns: what else the machine does slows down both alike."""
_LEFT_EVERY: Final = 40
"""Of so many people one is disabled at the source."""
_COUNTRIES: Final = ("DE", "CH", "US", "FR", None)
_ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
RULES: Final[Sequence[Mapping[str, object]]] = (
    {
        "target": "userName",
        "expression": 'ToLower(Replace([mail], "@example.com", , , "@example.org", , ), )',
        "match": 1,
    },
    {"target": "externalId", "source": "userPrincipalName"},
    {"target": "active", "expression": 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'},
    {"target": "displayName", "expression": 'Join(" ", [givenName], [surname])'},
    {"target": "name.givenName", "source": "givenName"},
    {"target": "name.familyName", "source": "surname"},
    {"target": "title", "source": "jobTitle"},
    {"target": "preferredLanguage", "expression": 'IIF([country] = "DE", "de-DE", "en-US")'},
    {"target": 'emails[type eq "work"].value', "source": "mail"},
    {"target": 'phoneNumbers[type eq "mobile"].value', "source": "mobile"},
    {"target": f"{_ENTERPRISE}:department", "source": "department"},
    {"target": f"{_ENTERPRISE}:employeeNumber", "source": "employeeId"},
)

Values: TypeAlias = dict[str, Value]
ByHand: TypeAlias = tuple[Values, str | None, bytes]
"""The values without nulls, the value of the matching attribute, a digest."""


def map_by_hand(person: Mapping[str, Value]) -> ByHand:
    """What `RULES` say, in Python, for people whose texts are texts: nothing is checked, nothing is configurable."""
    if person.get("accountEnabled") is False or person.get("IsSoftDeleted") is True:
        gone: Values = {"active": False}
        return gone, None, blake2b(orjson.dumps(gone), digest_size=16).digest()
    mail, given, family = person.get("mail"), person.get("givenName"), person.get("surname")
    user_name = str(mail).replace("@example.com", "@example.org").lower() if mail is not None else None
    wanted = {
        "userName": user_name,
        "externalId": person.get("userPrincipalName"),
        "active": True,
        "displayName": " ".join([str(part) for part in (given, family) if part]) or None,
        "name.givenName": given,
        "name.familyName": family,
        "title": person.get("jobTitle"),
        "preferredLanguage": "de-DE" if person.get("country") == "DE" else "en-US",
        'emails[type eq "work"].value': mail,
        'phoneNumbers[type eq "mobile"].value': person.get("mobile"),
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": person.get("department"),
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": person.get("employeeId"),
    }
    values: Values = {path: value for path, value in wanted.items() if value is not None}
    return values, user_name, blake2b(orjson.dumps(values), digest_size=16).digest()


def compiled() -> CompiledMapping:
    """The mapping of `RULES`."""
    spec = AttributeMappingSpec.model_validate({"attributes": RULES})
    return compile_mapping("people", spec, fake_surroundings())


def made_up(number: int) -> list[SourceResource]:
    """So many people as a source has them: some lack a name, a title or a country, and some have left."""
    return [_resource(entry, place) for place, entry in enumerate(people(number))]


def _resource(entry: Entry, place: int) -> SourceResource:
    attributes: dict[str, Value] = {"accountEnabled": place % _LEFT_EVERY != _LEFT_EVERY - 1}
    for name, meant in PERSON_NAMES.items():
        found = next((each for each in meant if each in entry.attributes), None)
        if found is not None:
            attributes[name] = entry.text(found)
    country = _COUNTRIES[place % len(_COUNTRIES)]
    if country is not None:
        attributes["country"] = country
    return SourceResource(SourceId(str(place)), attributes)


def require_same(desired: Sequence[Desired], by_hand: Sequence[ByHand]) -> None:
    """Raises Broken unless both want the same of everybody, and tell the same people apart."""
    prints, digests = ({each.fingerprint for each in desired}, {digest for _, _, digest in by_hand})
    for place, (ours, (values, key, _)) in enumerate(zip(desired, by_hand, strict=True)):
        found = next((criterion.value for each in ours.keys for criterion in each.conjunction), None)
        if dict(ours.values) != values or ours.besides.on_create or found != key:
            raise Broken(f"of person {place} the mapping wants {dict(ours.values)}, {found}, by hand {values}, {key}")
    if len(prints) != len(digests):
        raise Broken(f"there are {len(prints)} different fingerprints and {len(digests)} different digests")


def main(number: int, pairs: int) -> None:
    """Measures it and tells."""
    mapping, resources = compiled(), made_up(number)
    require_same(
        [map_resource(mapping, each) for each in resources], [map_by_hand(each.attributes) for each in resources]
    )

    def ours() -> None:
        for resource in resources:
            map_resource(mapping, resource)

    def theirs() -> None:
        for resource in resources:
            map_by_hand(resource.attributes)

    print(json.dumps(_in_turns({"ours": ours, "theirs": theirs}, number * PASSES, pairs)))  # noqa: T201 - its result


def _in_turns(runners: dict[str, Callable[[], None]], people_a_pair: int, pairs: int) -> dict[str, list[float]]:
    told: dict[str, list[float]] = {who: [] for who in runners}
    gc.collect()
    gc.disable()
    for _ in range(pairs):
        spent = dict.fromkeys(runners, 0.0)
        for turn in range(PASSES):
            for who in runners if turn % 2 == 0 else reversed(runners):
                start = time.process_time()
                runners[who]()
                spent[who] += time.process_time() - start
        for who, seconds in spent.items():
            told[who].append(seconds / people_a_pair)
    gc.enable()
    return told


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
