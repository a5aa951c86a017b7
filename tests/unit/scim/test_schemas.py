from __future__ import annotations

import pytest

from usher.core.model.resources import AttributePath, Json, Value
from usher.core.scim.comparison import equal, folding
from usher.core.scim.paths import ENTERPRISE_URN
from usher.core.scim.schemas import (
    USER_SCHEMA,
    AttributeDefinition,
    AttributeType,
    ConversionError,
    Mutability,
    convert,
)

TAGS = AttributeDefinition(multi_valued=True)
MOMENT = AttributeDefinition(AttributeType.DATE_TIME)
EXACT = AttributeDefinition(case_exact=True)


@pytest.mark.parametrize(
    ("path", "kind", "many"),
    [
        ("userName", AttributeType.STRING, False),
        ("ACTIVE", AttributeType.BOOLEAN, False),
        ("emails", AttributeType.COMPLEX, True),
        ('emails[type eq "work"]', AttributeType.COMPLEX, False),
        ('emails[type eq "work"].value', AttributeType.STRING, False),
        ('emails[type eq "work"].primary', AttributeType.BOOLEAN, False),
        ("emails.value", AttributeType.STRING, True),
        ("name.givenName", AttributeType.STRING, False),
        ('addresses[type eq "work"].streetAddress', AttributeType.STRING, False),
        (f"{ENTERPRISE_URN}:employeeNumber", AttributeType.STRING, False),
        (f"{ENTERPRISE_URN}:manager.value", AttributeType.STRING, False),
        ('photos[type eq "photo"].value', AttributeType.REFERENCE, False),
    ],
)
def test_the_user_schema_knows_each_attribute_by_its_path(path: str, kind: AttributeType, *, many: bool) -> None:
    definition = USER_SCHEMA.definition(AttributePath(path))

    assert definition is not None
    assert (definition.type, definition.multi_valued) == (kind, many)


def test_the_user_schema_does_not_know_what_is_not_in_it() -> None:
    assert not USER_SCHEMA.known(AttributePath("shoeSize"))
    assert not USER_SCHEMA.known(AttributePath("urn:example:User:userName"))


def test_user_names_ignore_case_and_external_ids_do_not() -> None:
    user_name = USER_SCHEMA.definition(AttributePath("userName"))
    external_id = USER_SCHEMA.definition(AttributePath("externalId"))

    assert equal(user_name, "Alice", "aLICE")
    assert not equal(external_id, "Alice", "aLICE")


def test_what_only_the_target_sets_is_read_only() -> None:
    for path in ("id", "meta", "groups", f"{ENTERPRISE_URN}:manager.displayName"):
        definition = USER_SCHEMA.definition(AttributePath(path))
        assert definition is not None
        assert definition.mutability is Mutability.READ_ONLY


@pytest.mark.parametrize(
    ("kind", "value", "converted"),
    [
        (AttributeType.BOOLEAN, "True", True),
        (AttributeType.BOOLEAN, "false", False),
        (AttributeType.BOOLEAN, True, True),
        (AttributeType.INTEGER, "42", 42),
        (AttributeType.INTEGER, 42.0, 42),
        (AttributeType.DECIMAL, "4.5", 4.5),
        (AttributeType.STRING, 7, "7"),
        (AttributeType.STRING, True, "True"),
        (AttributeType.STRING, ("one",), "one"),
        (AttributeType.REFERENCE, "https://example.com", "https://example.com"),
    ],
)
def test_a_value_takes_the_type_of_its_attribute(kind: AttributeType, value: Value, converted: Json) -> None:
    result = convert(AttributeDefinition(kind), value)

    assert result == converted
    assert type(result) is type(converted)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (AttributeType.BOOLEAN, "secret-yes"),
        (AttributeType.BOOLEAN, 1),
        (AttributeType.INTEGER, "secret-1.5"),
        (AttributeType.INTEGER, 1.5),
        (AttributeType.INTEGER, float("nan")),
        (AttributeType.INTEGER, "9" * 400),
        (AttributeType.DECIMAL, "secret"),
        (AttributeType.DECIMAL, "1e999"),
        (AttributeType.DECIMAL, float("inf")),
        (AttributeType.DECIMAL, True),
        (AttributeType.STRING, ("secret-a", "secret-b")),
        (AttributeType.COMPLEX, "secret"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_without_being_named(kind: AttributeType, value: Value) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(AttributeDefinition(kind), value)

    assert caught.value.reason == "SchemaPropertyCanOnlyAcceptValue"
    assert "secret" not in str(caught.value)


def test_a_multi_valued_attribute_takes_one_value_or_many() -> None:
    assert convert(TAGS, "a") == ["a"]
    assert convert(TAGS, ("a", 1)) == ["a", "1"]


def test_an_unknown_attribute_takes_the_value_as_it_is() -> None:
    assert convert(None, ("a", True)) == ["a", True]
    assert convert(None, 5) == 5


@pytest.mark.parametrize(
    ("definition", "a", "b", "same"),
    [
        (TAGS, ["a", "B"], ["b", "A"], True),
        (TAGS, ["a"], ["a", "b"], False),
        (TAGS, [], None, True),
        (EXACT, "a", "A", False),
        (None, "Straße", "STRASSE", True),
        (AttributeDefinition(AttributeType.BOOLEAN), "True", True, True),
        (AttributeDefinition(AttributeType.BOOLEAN), "False", True, False),
        (AttributeDefinition(AttributeType.INTEGER), 1, 1.0, True),
        (AttributeDefinition(AttributeType.INTEGER), 7, "07", True),
        (AttributeDefinition(AttributeType.INTEGER), 7, "seven", False),
        (AttributeDefinition(AttributeType.DECIMAL), 1.5, "1.50", True),
        (AttributeDefinition(AttributeType.DECIMAL), 1000.0, "1e3", True),
        (AttributeDefinition(), "7", "07", False),
        (MOMENT, "2026-01-01T10:00:00Z", "2026-01-01T11:00:00.000+01:00", True),
        (MOMENT, "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.5Z", False),
        (MOMENT, "2026-01-01T10:00:00", "2026-01-01T10:00:00Z", False),
        (MOMENT, "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00", True),
        (MOMENT, "0001-01-01T00:00:00+05:00", "soon", False),
        (AttributeDefinition(), None, "", False),
        (AttributeDefinition(), True, 1, False),
        (AttributeDefinition(AttributeType.COMPLEX), {"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_values_compare_as_the_schema_says(
    definition: AttributeDefinition | None, a: Json, b: Json, *, same: bool
) -> None:
    assert equal(definition, a, b) is same
    assert equal(definition, b, a) is same


def test_equal_values_fold_to_the_same_text_and_others_do_not() -> None:
    assert folding(None)("Alice") == folding(None)("ALICE")
    assert folding(EXACT)("Alice") != folding(EXACT)("ALICE")
    assert folding(TAGS)(["b", "a"]) == folding(TAGS)(["A", "B"])
