"""Who is refused a link, for any links held and wanted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from usher.core.model.resources import SourceId, TargetId
from usher.state.recording import refuse_links

PEOPLE = st.sampled_from([SourceId(f"p{index}") for index in range(5)])
TARGETS = st.sampled_from([TargetId(f"t{index}") for index in range(5)])
LINKS = st.dictionaries(PEOPLE, TARGETS, max_size=5)
HELD = st.dictionaries(TARGETS, PEOPLE, max_size=5).map(
    lambda held: {target: person for person, target in {person: target for target, person in held.items()}.items()}
)


@given(LINKS, HELD, st.frozensets(TARGETS))
def test_no_account_ever_has_two_holders(
    wanted: dict[SourceId, TargetId], mine: dict[TargetId, SourceId], foreign: frozenset[TargetId]
) -> None:
    mine = {target: person for target, person in mine.items() if target not in foreign}
    refused = refuse_links(wanted, mine, foreign)
    after = {person: target for target, person in mine.items()}
    after |= {person: target for person, target in wanted.items() if person not in refused}
    assert len(set(after.values())) == len(after)
    assert not foreign & set(after.values())


@given(LINKS, HELD)
def test_whoever_keeps_an_account_is_not_refused_it(
    wanted: dict[SourceId, TargetId], mine: dict[TargetId, SourceId]
) -> None:
    kept = {person for target, person in mine.items() if wanted.get(person) == target}
    assert not kept & refuse_links(wanted, mine, frozenset())


@given(st.permutations(range(5)))
def test_any_exchange_of_accounts_is_accepted(order: list[int]) -> None:
    mine = {TargetId(f"t{index}"): SourceId(f"p{index}") for index in range(5)}
    wanted = {SourceId(f"p{index}"): TargetId(f"t{to}") for index, to in enumerate(order)}
    assert refuse_links(wanted, mine, frozenset()) == frozenset()


@given(LINKS)
def test_of_several_who_want_a_free_account_the_first_gets_it(wanted: dict[SourceId, TargetId]) -> None:
    first = {target: person for person, target in reversed(wanted.items())}
    assert refuse_links(wanted, {}, frozenset()) == set(wanted) - set(first.values())
