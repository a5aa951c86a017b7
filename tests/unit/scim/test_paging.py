from __future__ import annotations

import pytest

from usher.core.errors import IncompleteRead
from usher.core.model.resources import TargetId, TargetResource
from usher.core.scim.paging import ListPage, Pager


def page(ids: str, total: int, start: int | None = None) -> ListPage:
    return ListPage([TargetResource(TargetId(each), None, {}) for each in ids], total, start)


def test_a_list_ends_when_as_many_came_as_the_target_says() -> None:
    pager = Pager()

    pager.feed(page("ab", 3, 1))
    assert (pager.complete, pager.start_index) == (False, 3)

    pager.feed(page("c", 3, 3))
    assert (pager.complete, pager.count) == (True, 3)


def test_an_empty_target_is_complete_at_once() -> None:
    pager = Pager()

    pager.feed(page("", 0))

    assert pager.complete


def test_a_first_page_may_count_from_zero() -> None:
    pager = Pager()

    pager.feed(page("a", 1, 0))

    assert pager.complete


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(page("ab", 4), id="the same page again"),
        pytest.param(page("bc", 4), id="a page that overlaps"),
        pytest.param(page("cd", 4, 1), id="a page that says it begins elsewhere"),
        pytest.param(page("cd", 5), id="a total that changed"),
        pytest.param(page("cde", 4), id="more than the total"),
        pytest.param(page("", 4), id="nothing before the end"),
    ],
)
def test_pages_that_contradict_each_other_make_the_read_void(second: ListPage) -> None:
    pager = Pager()
    pager.feed(page("ab", 4, 1))

    with pytest.raises(IncompleteRead):
        pager.feed(second)


@pytest.mark.parametrize("first", [page("ab", 1), page("aa", 2), page("", 3), page("a", 2_000_000), page("a", 2, 7)])
def test_a_page_that_contradicts_itself_makes_the_read_void(first: ListPage) -> None:
    with pytest.raises(IncompleteRead):
        Pager().feed(first)
