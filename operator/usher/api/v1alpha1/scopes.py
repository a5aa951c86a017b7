"""The scope of a ProvisioningConnector: who is provisioned."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from usher.api.v1alpha1.filters import MAX_FILTERS, ScopeFilter
from usher.api.v1alpha1.rules import Rule, Strict

MAX_ASSIGNED: Final = 100
MAX_VALUE: Final = 1024

_Value: TypeAlias = Annotated[str, Field(min_length=1, max_length=MAX_VALUE)]


class Assigned(Strict):
    """A resource of the source, found by one attribute, and what comes with its assignment."""

    attribute: str
    value: _Value
    app_role: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Role in the app that comes with it: a mapping finds it in [appRoleAssignments].",
    )


class AssignedUser(Assigned):
    """A user of the source, found by one attribute."""

    attribute: str = Field(
        min_length=1,
        max_length=256,
        description="Attribute of the source, such as userPrincipalName. Exactly one user has to have the value.",
    )
    value: _Value = Field(
        description="The attribute's whole value, upper and lower case alike. The user who is found first is kept by"
        " the source's id: a rename changes nothing."
    )


class AssignedGroup(Assigned):
    """A group of the source, found by one attribute: its direct members are assigned."""

    attribute: str = Field(
        min_length=1,
        max_length=256,
        description="Attribute of the source, such as displayName. Exactly one group has to have the value.",
    )
    value: _Value = Field(
        description="The attribute's whole value, upper and lower case alike. The group that is found first is kept by"
        " the source's id: a rename changes nothing."
    )


class NeverTouched(Strict):
    """Accounts of the app, known by one attribute."""

    attribute: str = Field(
        min_length=1, max_length=1024, description="Attribute of the app as a mapping writes it, such as userName."
    )
    value: _Value = Field(
        description="The value that such an account has at the app; * stands for any characters. Upper and lower case"
        " are alike, unless the app's schema says that they are not."
    )


def _lists_somebody(scope: Scope) -> bool:
    return bool(scope.users or scope.groups)


class Scope(Strict):
    """Who is provisioned."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(has(self.include) && self.include == 'All')"
            " || (has(self.users) && self.users.size() > 0) || (has(self.groups) && self.groups.size() > 0)",
            "include: Assigned needs users or groups: nobody would be provisioned; include: All means everybody",
            lambda scope: scope.include == "All" or _lists_somebody(scope),
        ),
        Rule(
            "!(has(self.include) && self.include == 'All') || !((has(self.users) && self.users.size() > 0)"
            " || (has(self.groups) && self.groups.size() > 0) || has(self.nestedGroups))",
            "users, groups and nestedGroups say who is assigned: include: All has none of them",
            lambda scope: (
                scope.include != "All" or not (_lists_somebody(scope) or "nested_groups" in scope.model_fields_set)
            ),
        ),
    )

    include: Literal["Assigned", "All"] = Field(
        default="Assigned",
        description="Assigned (when absent): the users that are listed, and the members of the groups that are. All:"
        " everybody whom the identity source knows. Who is assigned no more loses the access, and gets it back when"
        " assigned again.",
    )
    users: tuple[AssignedUser, ...] = Field(
        default=(), max_length=MAX_ASSIGNED, description="Users of the source who are assigned."
    )
    groups: tuple[AssignedGroup, ...] = Field(
        default=(),
        max_length=MAX_ASSIGNED,
        description="Groups of the source whose direct members are assigned. With a mapping for groups these are the"
        " groups that are provisioned.",
    )
    nested_groups: Literal["Ignore", "Flatten"] = Field(
        default="Ignore",
        description="What a group stands for that is a member of an assigned one. Ignore (when absent): nothing."
        " Flatten: its members are assigned too, however deep.",
    )
    scope_filters: tuple[ScopeFilter, ...] = Field(
        default=(),
        max_length=MAX_FILTERS,
        description="Which of these people are meant: whom one of these filters admits, and the mapping's own filters"
        " as well; all of them when absent. Groups are not asked. Who is admitted no more loses the access, and gets it"
        " back when admitted again.",
    )
    never_touch: tuple[NeverTouched, ...] = Field(
        default=(),
        max_length=MAX_ASSIGNED,
        description="Accounts of the app that are never written, whoever matches them: not taken over, changed,"
        " disabled or deleted, nor created. Break-glass accounts, for example, and the one with which Usher logs in.",
    )
