"""Which account belongs to which person, decided over a whole batch and never over one row.

Matching attributes are tried by precedence until one has a hit. Nothing is ever picked out of several: two accounts
for one value, two people with one value, an account that somebody else links, all end as Ambiguous and are left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from usher.core.model.plans import Ambiguous, Foreign, Matched, MatchKey, Unlinked, Unmatched
from usher.core.model.resources import ConnectorKey, Json, SourceId, TargetId, TargetResource
from usher.core.scim.filters import values_at
from usher.core.sync.match_rules import MatchRule

DUPLICATE_SOURCE = "DuplicateSourceEntries"
DUPLICATE_TARGET = "DuplicateTargetEntries"
OWNED_BY_OTHER = "OwnedByOtherConnector"
MOST_CLAIMS: Final = 4096
"""Of one account, whose values multiply where several attributes have to be equal together."""
ANCHOR: Final = "externalid"
"""The attribute that the client gives (RFC 7643 3.1), in small letters: an account that has it was made by one."""


class Adopt(StrEnum):
    """Whether an account that matches and has no link is taken over, in the words of the API."""

    ALWAYS = "Always"
    NEVER = "Never"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that matching may look at.

    `hits`: by claim, the target resources that answer to it. `rivals`: by claim, all people who make it, where they are
    several. `owners`: by target id, who links it already. `movers`: linked people whose account is about to be updated:
    a value that their account holds and they no longer claim is about to be free. `unfinished`: people for whom a
    request may have been made that nobody knows the end of. Their account is our own, as is one that was found by its
    `externalId`, which the client gives (RFC 7643 3.1), and so are those of `ours`: they were linked before. Others are
    taken over as `adopt` says.
    """

    connector: ConnectorKey
    hits: Mapping[str, Sequence[TargetResource]]
    rivals: Mapping[str, Sequence[SourceId]]
    owners: Mapping[TargetId, tuple[ConnectorKey, SourceId]]
    movers: Collection[SourceId] = ()
    adopt: Adopt = Adopt.ALWAYS
    unfinished: Collection[SourceId] = ()
    ours: Collection[TargetId] = ()

    def is_being_freed(self, hit: TargetResource) -> bool:
        """Whether this account answers to the value only until its own person's update.

        Which goes before any create.
        """
        connector, person = self.owners.get(hit.id, (None, None))
        return connector == self.connector and person in self.movers


def claims_met_by(rules: Sequence[MatchRule], account: Mapping[str, Json]) -> Iterator[tuple[str, int]]:
    """Every claim to which a query would answer with an account of these attributes, with its precedence.

    They can be very many: no caller takes more than `MOST_CLAIMS`.
    """
    for rule in rules:
        values = [
            [value for value in values_at(part.target, account) if isinstance(value, str | bool | int | float)]
            for part in rule.parts
        ]
        for combination in product(*values):
            yield rule.claim(combination), rule.precedence


def match_resources(unlinked: Mapping[SourceId, Sequence[MatchKey]], evidence: Evidence) -> dict[SourceId, Unlinked]:
    """The situation of every person without a link."""
    situations = {source_id: _match_one(source_id, keys, evidence) for source_id, keys in unlinked.items()}
    claimed: defaultdict[TargetId, list[SourceId]] = defaultdict(list)
    for source_id, situation in situations.items():
        if isinstance(situation, Matched):
            claimed[situation.found.id].append(source_id)
    for target_id, claimants in claimed.items():
        if len(claimants) > 1:
            for source_id in claimants:
                others = tuple(str(other) for other in claimants if other != source_id)
                situations[source_id] = Ambiguous(DUPLICATE_SOURCE, (*others, target_id))
    return situations


def _match_one(source_id: SourceId, keys: Sequence[MatchKey], evidence: Evidence) -> Unlinked:
    for key in keys:
        others = [other for other in evidence.rivals.get(key.claim, ()) if other != source_id]
        if others:
            return Ambiguous(DUPLICATE_SOURCE, tuple(others))
    for key in keys:
        hits = [hit for hit in evidence.hits.get(key.claim, ()) if not evidence.is_being_freed(hit)]
        if len(hits) > 1:
            return Ambiguous(DUPLICATE_TARGET, tuple(hit.id for hit in hits))
        if hits:
            return _claim(source_id, key, hits[0], evidence)
    return Unmatched()


def _claim(source_id: SourceId, key: MatchKey, hit: TargetResource, evidence: Evidence) -> Unlinked:
    owner = evidence.owners.get(hit.id)
    if owner is None and evidence.adopt is Adopt.NEVER:
        anchored = any(criterion.path.lower() == ANCHOR for criterion in key.conjunction)
        known = anchored or source_id in evidence.unfinished or hit.id in evidence.ours
        return Matched(hit) if known else Foreign(hit)
    if owner is None or owner == (evidence.connector, source_id):
        return Matched(hit)
    connector, person = owner
    if connector == evidence.connector:
        return Ambiguous(DUPLICATE_SOURCE, (person, hit.id))
    return Ambiguous(OWNED_BY_OTHER, (connector, hit.id))
