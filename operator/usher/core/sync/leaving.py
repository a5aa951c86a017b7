"""Why somebody shall have no access, the evidence of it in one word, as plan and log say it; and what is done then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

SOURCE_DISABLED: Final = "SourceDisabled"
"""The source says that the account is disabled, or soft-deleted; or the mapping does."""
SOURCE_DELETED: Final = "SourceDeleted"
"""A complete read has the person no more, or a tombstone says so."""
OUT_OF_SCOPE: Final = "OutOfScope"
"""No scoping filter admits what the source says of the person."""
UNASSIGNED: Final = "Unassigned"
"""The scope names assigned people and groups, and the person is not among them any more."""
CAUSES: Final = frozenset({SOURCE_DISABLED, SOURCE_DELETED, OUT_OF_SCOPE, UNASSIGNED})


class Writes(StrEnum):
    """What a mapping lets be done with accounts, in the words of the API."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Policy(StrEnum):
    """What is done with the account of somebody who left, in the words of the API."""

    DISABLE = "Disable"
    DELETE = "Delete"
    KEEP = "Keep"


@dataclass(frozen=True, slots=True)
class Deprovisioning:
    """A policy for each cause. `delete_after` is how long an account stays disabled before it is deleted.

    Without it, what is disabled stays so, whatever the policy.
    """

    on_unassigned: Policy = Policy.DISABLE
    on_out_of_scope: Policy = Policy.DISABLE
    on_source_disabled: Policy = Policy.DISABLE
    on_source_deleted: Policy = Policy.DISABLE
    delete_after: timedelta | None = None

    def of(self, cause: str) -> Policy:
        """The policy for this cause."""
        match cause:
            case _ if cause == UNASSIGNED:
                return self.on_unassigned
            case _ if cause == OUT_OF_SCOPE:
                return self.on_out_of_scope
            case _ if cause == SOURCE_DELETED:
                return self.on_source_deleted
            case _:
                return self.on_source_disabled

    @property
    def keeps(self) -> bool:
        """Whether any cause leaves the account as it is."""
        return any(self.of(cause) is Policy.KEEP for cause in CAUSES)

    @property
    def digest(self) -> str:
        """The policies that are none of the defaults: whoever left under others is looked at again."""
        policies = sorted((cause, self.of(cause)) for cause in CAUSES)
        return "".join(f"|{cause}={policy}" for cause, policy in policies if policy is not Policy.DISABLE)


@dataclass(frozen=True, slots=True)
class Departure:
    """What is known of somebody who left.

    `told`: the source itself said that the person is deleted (a tombstone); that a complete read lacks somebody is no
    such word. `ripe`: the account has been disabled for the whole time, and a complete read came after it. `disables`:
    there is something short of deleting it, a disable at the target, or to empty a group that is deleted later.
    `deletes`: the mapping lets them be deleted.
    """

    told: bool = False
    ripe: bool = False
    disables: bool = True
    deletes: bool = True


def decide(deprovisioning: Deprovisioning, cause: str, departure: Departure) -> Policy:
    """What is to be done now with the account of somebody who left for this cause.

    A written Delete acts at once on the source's own word, and where the target can't disable; otherwise the account is
    disabled, and deleted when that has lasted.
    """
    policy = deprovisioning.of(cause)
    if policy is not Policy.DELETE:
        return policy
    at_once = departure.ripe or not departure.disables or (departure.told and cause == SOURCE_DELETED)
    return Policy.DELETE if at_once and departure.deletes else Policy.DISABLE
