from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bench.broken import Broken
from bench.costs import measure_mapping
from bench.drivers import mapping as driver
from bench.drivers.mapping import RULES, compiled, made_up, map_by_hand, require_same
from bench.ground import Ground, Sizes
from usher.core.model.plans import Besides
from usher.core.model.resources import AttributePath
from usher.core.sync.flows import Computed
from usher.core.sync.mapping import map_resource


def test_the_mapping_has_12_attributes_4_of_them_expressions() -> None:
    mapping = compiled()

    assert len(mapping.rules) == len(RULES) == 12
    assert sum(isinstance(rule.flow, Computed) for rule in mapping.rules) == 4
    assert len(mapping.matching) == 1


def test_the_mapping_and_the_function_by_hand_want_the_same_of_everybody() -> None:
    mapping, resources = compiled(), made_up(200)
    wanted = [map_resource(mapping, each) for each in resources]

    require_same(wanted, [map_by_hand(each.attributes) for each in resources])

    assert {each.active for each in wanted} == {True, False}
    assert len({len(each.values) for each in wanted}) > 2, "some lack something"


@pytest.mark.parametrize(
    "change",
    [
        {"values": {AttributePath("userName"): "somebody"}},
        {"besides": Besides(on_create={AttributePath("title"): "Boss"})},
        {"keys": ()},
        {"fingerprint": b"the same as everybody's"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_mapping_that_wants_something_else_is_a_broken_run(change: Mapping[str, Any]) -> None:
    mapping, resources = compiled(), made_up(2)
    wanted = [map_resource(mapping, each)._replace(**change) for each in resources]

    with pytest.raises(Broken):
        require_same(wanted, [map_by_hand(each.attributes) for each in resources])


def test_the_mapping_is_measured_next_to_the_function_and_by_itself() -> None:
    with Ground(Sizes(mapped=20, pairs=2), lambda _: None) as ground:
        ratio, cost = measure_mapping(ground)

    assert (ratio.name, cost.name) == ("mapping_vs_python", "mapping_us_per_user")
    assert len(ratio.values) == len(cost.values) == 2
    assert min(*ratio.values, *cost.values) > 0


def test_who_goes_first_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(driver, "PASSES", 2)

    told = driver._in_turns({"ours": lambda: order.append("us"), "theirs": lambda: order.append("them")}, 10, 3)

    assert order == ["us", "them", "them", "us"] * 3
    assert [len(told["ours"]), len(told["theirs"])] == [3, 3]
