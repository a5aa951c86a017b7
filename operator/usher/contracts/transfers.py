"""What is asked of the store when the links of one connector become those of another one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from usher.core.model.resources import ConnectorKey, ResourceType, SourceId, TargetId


class Obstacle(StrEnum):
    """Why a link stays where it is."""

    NO_LINK = "NoLink"
    OPEN_INTENT = "OpenIntent"
    LINKED_BY_HEIR = "LinkedAlready"
    NOT_IN_SCOPE = "NotInScope"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Links of `former` that `heir` is to have: those of these source ids, in every lane, or all where `ids` is None.

    Both are active, of one source and at one target: their ids mean the same.
    """

    former: ConnectorKey
    heir: ConnectorKey
    ids: Collection[SourceId] | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """One link of a transfer, which moves unless there is an obstacle; without a link there is no `target_id`.

    `still_meant`: the former connector has the resource in its scope, and will find that its account has another owner.
    """

    resource_type: ResourceType
    source_id: SourceId
    target_id: TargetId | None
    still_meant: bool
    obstacle: Obstacle | None = None


class TransferStore(Protocol):
    """Links that change their connector. Answers are loaded whole."""

    async def transferable(self, transfer: Transfer) -> Sequence[Handover]:
        """What the transfer would move, and what it would leave: by type and source id."""

    async def transfer(self, transfer: Transfer, at: datetime) -> Sequence[Handover]:
        """Moves what nothing stands in the way of, in one transaction with all that belongs to it; tells the same.

        Only whom the heir has in its scope: anybody else it would take for a leaver. The heir gets an open intent with
        each link: it reads the account before it trusts the image, which the mapping of another connector has taken.
        The former one forgets what it held, planned and put off about the account; where it still means the resource,
        that is unsettled there (`Transferred`), and its next cycle finds the other owner. Whoever refers to a moved
        resource is due at both. Each link is a line in the provisioning log of both.
        """
