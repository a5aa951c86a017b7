"""Which accounts a pattern means."""

from __future__ import annotations

import pytest

from usher.core.model.resources import AttributePath, Json, ResourceType
from usher.core.scim.schemas import GROUP_SCHEMA, USER_SCHEMA
from usher.core.sync.untouchable import Spared, Untouchable

USER_NAME, EXTERNAL_ID, EMAILS = AttributePath("userName"), AttributePath("externalId"), AttributePath("emails.value")


@pytest.mark.parametrize(
    ("path", "pattern", "value", "covered"),
    [
        (USER_NAME, "svc-*", "svc-backup", True),
        (USER_NAME, "svc-*", "SVC-BACKUP", True),
        (USER_NAME, "SVC-*", "svc-", True),
        (USER_NAME, "svc-*", "my-svc-backup", False),
        (USER_NAME, "*@admin.example.com", "root@admin.example.com", True),
        (USER_NAME, "root", "root2", False),
        (USER_NAME, "a*b*c", "a-b-b-c", True),
        (USER_NAME, "a*b*c", "a-c-b", False),
        (USER_NAME, "ab*ba", "aba", False),
        (USER_NAME, "*x*", "axe", True),
        (USER_NAME, "*", "anybody", True),
        (USER_NAME, "*", None, False),
        (USER_NAME, "a.c", "abc", False),
        (USER_NAME, "Straße", "STRASSE", True),
        (EXTERNAL_ID, "AB*", "abc", False),
        (EXTERNAL_ID, "AB*", "ABc", True),
        (EMAILS, "root@*", ["a@x", "ROOT@x"], True),
        (EMAILS, "root@*", [], False),
        (AttributePath("active"), "false", False, True),
    ],
)
def test_a_pattern_covers_whole_values(path: AttributePath, pattern: str, value: Json, covered: bool) -> None:
    assert Spared(path, pattern, USER_SCHEMA.definition(path)).covers(value) is covered


def test_a_group_is_asked_for_nothing_that_groups_do_not_have() -> None:
    both = Untouchable((Spared(USER_NAME, "svc-*"), Spared(AttributePath("displayName"), "Admins")))
    assert both.typed(GROUP_SCHEMA, ResourceType.GROUP).paths == {"displayName"}
    assert both.typed(USER_SCHEMA, ResourceType.USER).paths == {"userName", "displayName"}


def test_another_pattern_is_another_scope_and_none_is_none() -> None:
    assert Untouchable().digest == ""
    assert Untouchable((Spared(USER_NAME, "a"),)).digest != Untouchable((Spared(USER_NAME, "b"),)).digest
