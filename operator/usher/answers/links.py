"""Whose account is whose, and which accounts are nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile, islice

from usher.answers.form import Answer, time_text
from usher.answers.marks import MarkUnknown
from usher.contracts.store import LinkDigest, Store
from usher.core.model.resources import ConnectorKey, Lane, ResourceType, SourceId


class LinkLine(Answer):
    """One link."""

    resource_type: ResourceType
    source_id: str
    target_id: str
    enabled: bool


class LinkPage(Answer):
    """Links in the order of type and id, of `total`; `after` is what asks for those behind them, if any are."""

    connector: str
    total: int
    links: Sequence[LinkLine]
    after: str | None = None


class LaneOrphans(Answer):
    """What the last full comparison found, made at the time `compared`.

    `total` is None where the app can't list its accounts. The first of them are named in `target_ids`, as far as nobody
    has a link to them by now.
    """

    resource_type: ResourceType
    compared: str
    total: int | None
    target_ids: Sequence[str]


class OrphansFound(Answer):
    """A part for each resource type that was compared; none where no comparison has been made yet."""

    connector: str
    orphans: Sequence[LaneOrphans]


async def read_links(store: Store, connector: ConnectorKey, after: str, limit: int) -> LinkPage:
    """At most so many links, from the beginning with an empty `after`. Raises MarkUnknown."""
    kind, start = _place_of(after)
    total = sum([(await store.count_links(Lane(connector, one)))[0] for one in ResourceType])
    found: list[LinkLine] = []
    for resource_type in dropwhile(lambda one: one is not kind, ResourceType):
        came = await _first(store, Lane(connector, resource_type), start, limit + 1 - len(found))
        found += [_line(resource_type, digest) for digest in came]
        start = None
    shown, more = found[:limit], len(found) > limit > 0
    mark = f"{shown[-1].resource_type}/{shown[-1].source_id}" if more else None
    return LinkPage(connector=connector, total=total, links=shown, after=mark)


def _place_of(mark: str) -> tuple[ResourceType, SourceId | None]:
    if not mark:
        return ResourceType.USER, None
    kind, _, source_id = mark.partition("/")
    try:
        return ResourceType(kind), SourceId(source_id)
    except ValueError as error:
        raise MarkUnknown from error


async def _first(store: Store, lane: Lane, after: SourceId | None, limit: int) -> list[LinkDigest]:
    found: list[LinkDigest] = []
    if limit <= 0:
        return found
    async for page in store.link_digests(lane, after):
        found.extend(islice(page, limit - len(found)))
        if len(found) >= limit:
            break
    return found


def _line(resource_type: ResourceType, digest: LinkDigest) -> LinkLine:
    return LinkLine(
        resource_type=resource_type, source_id=digest.source_id, target_id=digest.target_id, enabled=digest.enabled
    )


async def read_orphans(store: Store, connector: ConnectorKey) -> OrphansFound:
    """The accounts that nobody links and nobody in scope matches."""
    found = []
    for resource_type in ResourceType:
        lane = Lane(connector, resource_type)
        comparison = await store.comparison(lane)
        if comparison is not None and comparison.found is not None:
            one = LaneOrphans(
                resource_type=resource_type,
                compared=time_text(comparison.at),
                total=comparison.found.orphans,
                target_ids=list(await store.orphans(lane)),
            )
            found.append(one)
    return OrphansFound(connector=connector, orphans=found)
