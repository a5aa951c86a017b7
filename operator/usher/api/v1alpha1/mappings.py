"""AttributeMapping: how people of a source become users of an app."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from usher.api.conditions import Conditions
from usher.api.v1alpha1.objects import Status
from usher.api.v1alpha1.rules import Rule, Strict, UniqueBy, exactly_one

MAX_ATTRIBUTES: Final = 100
MAX_EXPRESSION: Final = 10_000
MAX_TEXT: Final = 4096
MAX_USERS_SHOWN: Final = 10


class LeftAlone(Strict):
    """Nothing to say: the attribute belongs to the app."""


class AttributeRule(Strict):
    """Where the value of one attribute of the app comes from."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one("source", "expression", "constant", "none"),
        Rule(
            "!(has(self.match) && has(self.none))",
            "an attribute that is left alone (none) can't be a matching attribute",
            lambda rule: rule.match is None or rule.none is None,
        ),
    )

    target: str = Field(
        min_length=1,
        max_length=1024,
        description="""Path of the attribute in the app, such as userName or emails[type eq "work"].value.""",
    )
    source: str | None = Field(
        default=None, min_length=1, max_length=256, description="Attribute of the source, copied as it is."
    )
    expression: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_EXPRESSION,
        description='Expression over attributes of the source, such as Join(" ", [givenName], [surname]).',
    )
    constant: str | None = Field(
        default=None, max_length=MAX_TEXT, description="The same value for everybody, converted by the app's schema."
    )
    none: LeftAlone | None = Field(
        default=None, description="{}: the attribute is left alone, except that default fills an empty one on creation."
    )
    default: str | None = Field(
        default=None, min_length=1, max_length=MAX_TEXT, description="Value on creation when the source gives none."
    )
    match: int | None = Field(
        default=None,
        ge=1,
        le=MAX_ATTRIBUTES,
        description="Makes this a matching attribute, by which existing accounts are found; the lowest is tried first.",
    )


def _matches(spec: AttributeMappingSpec) -> list[int]:
    return [rule.match for rule in spec.attributes if rule.match is not None]


class AttributeMappingSpec(Strict):
    """The attributes of one type of resource."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.attributes.exists(a, has(a.match))",
            "at least one attribute needs match (such as match: 1): by it existing accounts are found",
            lambda spec: bool(_matches(spec)),
        ),
        Rule(
            "self.attributes.all(a, !has(a.match)"
            " || self.attributes.exists_one(b, has(b.match) && b.match == a.match))",
            "match is a precedence: no two attributes can have the same",
            lambda spec: len(set(_matches(spec))) == len(_matches(spec)),
        ),
    )

    resource_type: Literal["User"] = Field(default="User", description="Type of the resources; User when absent.")
    attributes: Annotated[tuple[AttributeRule, ...], UniqueBy("target")] = Field(
        min_length=1,
        max_length=MAX_ATTRIBUTES,
        description="The attributes of the app that are managed, each once. All others are left alone.",
    )


class MappingUse(Status):
    """Who uses the mapping."""

    count: int | None = Field(default=None, description="How many connectors use it.")
    names: tuple[str, ...] | None = Field(
        default=None, max_length=MAX_USERS_SHOWN, description="Names of the first of them, in order of the alphabet."
    )


class MappingStatus(Status):
    """What the operator makes of the mapping."""

    observed_generation: int | None = Field(
        default=None, description="The generation of the spec that this status is about."
    )
    conditions: Conditions = Field(default=(), description="Ready and others; see their messages.")
    used_by: MappingUse | None = Field(default=None, description="Which connectors use it.")
