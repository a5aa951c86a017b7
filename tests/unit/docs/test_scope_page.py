"""The page about the scope says what the models take."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import yaml

from usher.api.v1alpha1.scopes import AssignedGroup, AssignedUser, NeverTouched, Scope

PAGE = (Path(__file__).parents[3] / "docs" / "scope.md").read_text(encoding="utf-8")


def test_the_example_is_a_scope_and_has_every_field() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    spec = yaml.safe_load(block)["spec"]
    scope = Scope.model_validate_json(orjson.dumps(spec["scope"]))
    assert scope.model_fields_set == set(Scope.model_fields)
    shown_models = (
        (scope.users[0], AssignedUser),
        (scope.groups[0], AssignedGroup),
        (scope.never_touch[0], NeverTouched),
    )
    for shown, model in shown_models:
        assert shown.model_fields_set == set(model.model_fields)
