"""What can be promised about accounts at a target: a create in SCIM has no key that would let it be sent twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from usher.core.scim.discovery import Discovery
from usher.core.sync.match_rules import MatchRule


class Guarantee(StrEnum):
    """The class of a target, in the words of a status. All but the last have each account made exactly once.

    The app refuses a second account itself; or whoever was made is found at once; or is found after a time, which is
    waited for before a create is sent again. Where nobody can be looked for, a create of unknown end is never repeated.
    """

    UNIQUE_KEY = "UniqueKey"
    LOOK_UP = "LookUp"
    SETTLED_LOOK_UP = "SettledLookUp"
    AT_MOST_ONCE = "AtMostOnce"


def guarantee_of(settle: timedelta | None, discovery: Discovery, matching: Sequence[MatchRule]) -> Guarantee:
    """`settle` is as in a job. That an attribute is unique counts where the app's own schemas say so."""
    if settle is None:
        return Guarantee.AT_MOST_ONCE
    told = discovery.attributes
    for rule in matching:
        definitions = [told.get(part.target.lower()) for part in rule.parts]
        if any(definition is not None and definition.unique for definition in definitions):
            return Guarantee.UNIQUE_KEY
    return Guarantee.SETTLED_LOOK_UP if settle else Guarantee.LOOK_UP
