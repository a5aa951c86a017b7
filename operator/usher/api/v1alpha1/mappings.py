"""AttributeMapping: how people of a source become users of an app, and its groups the app's groups."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from usher.api.conditions import Conditions
from usher.api.v1alpha1.filters import MAX_FILTERS, MAX_TEXT, ScopeFilter
from usher.api.v1alpha1.objects import Status
from usher.api.v1alpha1.rules import Rule, Strict, UniqueBy, exactly_one

MAX_ATTRIBUTES: Final = 100
MAX_EXPRESSION: Final = 10_000
MAX_GROUPS: Final = 10
MAX_GROUPED: Final = 5
MAX_USERS_SHOWN: Final = 10

OnDrift: TypeAlias = Literal["Revert", "Ignore", "Report"]
"""What a full comparison does about a value that somebody changed in the app."""


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
        Rule(
            "!(has(self.apply) && has(self.none))",
            "an attribute that is left alone (none) is never applied: leave out apply",
            lambda rule: rule.apply is None or rule.none is None,
        ),
        Rule(
            "!has(self.onNull) || has(self.source) || has(self.expression)",
            "onNull is about the value of a source or of an expression",
            lambda rule: rule.on_null is None or rule.source is not None or rule.expression is not None,
        ),
        Rule(
            "!has(self.onNull) || self.onNull != 'Clear' || !has(self.apply) || self.apply == 'Always'",
            "what is to be cleared (onNull: Clear) has to be applied always",
            lambda rule: rule.on_null != "Clear" or rule.apply in (None, "Always"),
        ),
        Rule(
            "!has(self.onDrift) || !(has(self.apply) && self.apply == 'OnCreate' || has(self.none) &&"
            " !has(self.default))",
            "onDrift is about an attribute that is kept up: one that is left alone (none), or is given on creation"
            " alone (apply: OnCreate), never drifts",
            lambda rule: (
                rule.on_drift is None
                or not (rule.apply == "OnCreate" or (rule.none is not None and rule.default is None))
            ),
        ),
    )

    target: str = Field(
        min_length=1,
        max_length=1024,
        description="""Path of the attribute in the app, such as userName or emails[type eq "work"].value.""",
    )
    source: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Attribute of the source, copied as it is. Where the app's attribute holds other accounts, as"
        " manager and members do, it holds their ids at the source, and the app gets those of their accounts.",
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
    apply: Literal["Always", "OnCreate", "AddValuesOnly"] | None = Field(
        default=None,
        description=(
            "When the value is written: Always (when absent), OnCreate (never on an account that is there), or"
            " AddValuesOnly (values are added to a multi-valued attribute, and never removed)."
            " Attributes that the app never returns, such as password, are OnCreate when absent."
        ),
    )
    on_null: Literal["Keep", "Clear"] | None = Field(
        default=None,
        description=(
            "What happens to the value in the app when the source gives none: Keep (when absent), or Clear."
            " What comes from app roles, and members, are cleared when absent."
        ),
    )
    on_drift: OnDrift | None = Field(
        default=None,
        description="What a full comparison does about a value that somebody changed in the app; spec.onDrift when"
        " absent.",
    )
    match: int | None = Field(
        default=None,
        ge=1,
        le=MAX_ATTRIBUTES,
        description="Makes this a matching attribute, by which existing accounts are found; the lowest is tried first.",
    )


class MatchGroup(Strict):
    """Attributes that find an account together."""

    targets: tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...] = Field(
        min_length=2,
        max_length=MAX_GROUPED,
        description="Paths of attributes that are mapped here. An account is found when all of them are equal.",
    )
    precedence: int = Field(
        ge=1, le=MAX_ATTRIBUTES, description="Among the matching attributes and groups the lowest is tried first."
    )


def _matches(spec: AttributeMappingSpec) -> list[int]:
    single = [rule.match for rule in spec.attributes if rule.match is not None]
    return [*single, *(group.precedence for group in spec.match_groups)]


class AttributeMappingSpec(Strict):
    """The attributes of one type of resource."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.attributes.exists(a, has(a.match)) || (has(self.matchGroups) && self.matchGroups.size() > 0)",
            "at least one attribute needs match (such as match: 1): by it existing accounts are found",
            lambda spec: bool(_matches(spec)),
        ),
        Rule(
            "self.attributes.all(a, !has(a.match)"
            " || self.attributes.exists_one(b, has(b.match) && b.match == a.match))"
            " && (!has(self.matchGroups) || self.matchGroups.all(g,"
            " self.matchGroups.exists_one(h, h.precedence == g.precedence)"
            " && !self.attributes.exists(a, has(a.match) && a.match == g.precedence)))",
            "match is a precedence: no two attributes can have the same, nor two matchGroups",
            lambda spec: len(set(_matches(spec))) == len(_matches(spec)),
        ),
        Rule(
            "!has(self.enabled) || self.enabled || (has(self.resourceType) && self.resourceType == 'Group')",
            "only a mapping for groups can be turned off (enabled: false); a connector is stopped by its spec.suspend",
            lambda spec: spec.enabled or spec.resource_type == "Group",
        ),
    )

    resource_type: Literal["User", "Group"] = Field(
        default="User", description="Type of the resources; User when absent."
    )
    enabled: bool = Field(
        default=True,
        description="False turns a mapping for groups off: groups and their members are left as they are. True when"
        " absent; a mapping for users is always on.",
    )
    actions: tuple[Literal["Create", "Update", "Delete"], ...] | None = Field(
        default=None,
        min_length=1,
        max_length=3,
        description="What may be done with accounts; all of it when absent. Without Create nobody gets a new account."
        " Without Update no account is changed, and leavers keep theirs active: a disable is an update. Without Delete"
        " no account is deleted: leavers are disabled.",
    )
    on_drift: OnDrift = Field(
        default="Revert",
        description="What a full comparison does about values that somebody changed in the app: Revert (when absent)"
        " puts them back, Ignore leaves them until the source says something new, Report does the same and says so in"
        " the condition Drifted.",
    )
    scope_filters: tuple[ScopeFilter, ...] = Field(
        default=(),
        max_length=MAX_FILTERS,
        description="Whom the mapping means: people, or groups, whom one of these filters admits; everybody when"
        " absent. Who is admitted no more loses the access, and gets it back when admitted again.",
    )
    attributes: Annotated[tuple[AttributeRule, ...], UniqueBy("target")] = Field(
        min_length=1,
        max_length=MAX_ATTRIBUTES,
        description="The attributes of the app that are managed, each once. All others are left alone.",
    )
    match_groups: tuple[MatchGroup, ...] = Field(
        default=(),
        max_length=MAX_GROUPS,
        description="Attributes that find an account only together, such as employeeNumber and name.familyName.",
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
