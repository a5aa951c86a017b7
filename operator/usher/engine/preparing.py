"""A cycle up to the point where it would begin to write: what is planned in each lane, and what of it is safe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from usher.contracts.assignments import Resolution
from usher.contracts.snapshots import Snapshot
from usher.contracts.store import Consumption
from usher.core.errors import CycleError
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action, PlannedChange
from usher.core.model.reports import Compared, CycleKind
from usher.core.model.resources import ResourceType, SourceId
from usher.core.sync.flaws import refuse_errors
from usher.core.sync.linting import find_unknown_attributes
from usher.core.sync.planning import is_shown
from usher.core.sync.policies import Approval, Counted, Subject, step_of, subject_of
from usher.engine.anchoring import doubted_claims
from usher.engine.assigning import Assigning, begin_assigning
from usher.engine.bench import Bench
from usher.engine.comparing import compare, compare_some, conclude_comparison, is_due
from usher.engine.consumption import consume
from usher.engine.drafting import Draft, Drafting
from usher.engine.drift_notes import Census
from usher.engine.evaluation import Batch, evaluate
from usher.engine.feeding import Extra, Feed
from usher.engine.job import ConnectorJob, Job, Ports
from usher.engine.progress import Stage
from usher.engine.referring import Referring, plan_references_of, references_tried
from usher.engine.safety import COUNTED, Circumstances, Judgement, held_of, judge, judge_chosen, postpone
from usher.engine.selecting import Chosen
from usher.engine.settling import let_unknown_settle


@dataclass(frozen=True, slots=True)
class PreparedLane:
    """One lane: what is planned in it is in the store. `doubted` had an open intent when the cycle began.

    `waiting` are those in escrow whose time has not come. `compared` is what a full comparison came to, None where none
    was due. `beside` are as many that would lose their access too, if they were meant.
    """

    job: Job
    kind: CycleKind
    snapshot: Snapshot
    draft: Draft
    former: Mapping[SourceId, Unsettled]
    mapping_changed: bool
    guarded: bool
    live: int
    doubted: Collection[SourceId]
    waiting: Mapping[SourceId, Unsettled]
    compared: Compared | None = None
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """All lanes, and the judgement on them, which is not enforced. `assigning` is None where everybody is in.

    `mapping_changed`: any mapping did since the last cycle, or the scope.
    """

    lanes: tuple[PreparedLane, ...]
    judgement: Judgement
    mapping_changed: bool
    assigning: Assigning | None

    @property
    def kind(self) -> CycleKind:
        """Initial where any lane looks at everybody, a full comparison where one was made in any."""
        if any(lane.kind is CycleKind.INITIAL for lane in self.lanes):
            return CycleKind.INITIAL
        compared = any(lane.compared is not None for lane in self.lanes)
        return CycleKind.FULL_COMPARISON if compared else CycleKind.INCREMENTAL

    @property
    def resolution(self) -> Resolution | None:
        """What the scope's entries mean, None where everybody is in."""
        return None if self.assigning is None else self.assigning.resolution


async def prepare(bench: Bench) -> Prepared:
    """Plans every lane and judges the whole. Raises CycleError."""
    await let_unknown_settle(bench)
    assigning = None if bench.job.ending else await begin_assigning(bench.job, bench.ports)
    lanes = [await _prepare_lane(bench, job, assigning) for job in bench.job.lanes]
    frozen = await _frozen(bench)
    removals = await _plan_references(bench, lanes, frozen)
    circumstances = Circumstances(
        live=await _live(bench, lanes, removals),
        source_is_empty=lanes[0].snapshot.count == 0 and not bench.job.ending,
        mapping_changed=any(lane.mapping_changed for lane in lanes),
        guarded=any(lane.guarded for lane in lanes),
        whole=_is_whole(bench.job),
        beside={COUNTED[lane.job.resource_type]: lane.beside for lane in lanes},
    )
    decide = judge_chosen if isinstance(bench.selection, Chosen) else judge
    if bench.job.anew is not None and assigning is not None and assigning.resolution.unresolved:
        judgement = postpone(await _all_that_is_shown(bench, lanes))
        return Prepared(tuple(lanes), judgement, circumstances.mapping_changed, assigning)
    if circumstances.whole:  # the references as well are held with all that they follow from
        judgement = await decide(bench.job, bench.ports, await _all_that_is_shown(bench, lanes), circumstances)
        return Prepared(tuple(lanes), judgement, circumstances.mapping_changed, assigning)
    destructive = [row for lane in lanes for row in lane.draft.destructive] + removals
    judgement = await decide(bench.job, bench.ports, destructive, circumstances)
    kept = {subject_of(row) for row in destructive if step_of(row) in judgement.decision.wait and _leaves(row)}
    kept |= {subject_of(row) for row in judgement.rows if _leaves(row)}
    if kept - frozen:
        await _plan_references(bench, lanes, frozen | kept)
    return Prepared(tuple(lanes), judgement, circumstances.mapping_changed, assigning)


def _is_whole(job: ConnectorJob) -> bool:
    """Whether nothing is written without an approval."""
    return job.approval is Approval.ALWAYS or job.anew is not None


async def _all_that_is_shown(bench: Bench, lanes: Sequence[PreparedLane]) -> list[PlannedChange]:
    """The running plans, loaded whole. A link that is only confirmed is no business of anybody's."""
    pages = [page for lane in lanes async for page in bench.ports.store.all_changes(lane.job.lane)]
    return [row for page in pages for row in page if is_shown(row)]


async def _frozen(bench: Bench) -> frozenset[Subject]:
    """Whoever is in a held set has not left before somebody approves it.

    Where the whole plan is held, it says what comes of that.
    """
    held = await held_of(bench.job.lanes[0], bench.ports)
    if held is None or held[0].approved or _is_whole(bench.job):
        return frozenset()
    return frozenset(subject_of(row) for row in held[1] if _leaves(row))


def _leaves(row: PlannedChange) -> bool:
    """Whether it takes all access away: whoever only loses members, or roles, refers to others as before."""
    return row.action in (Action.DISABLE, Action.DELETE)


async def _plan_references(
    bench: Bench, lanes: Sequence[PreparedLane], frozen: frozenset[Subject]
) -> list[PlannedChange]:
    """Writes the rows of references into the running plans; returns those that take something away."""
    rows = list[PlannedChange]()
    adopting = {
        (lane.job.resource_type, source_id): holding.target_id
        for lane in lanes
        for source_id, holding in lane.draft.holding.items()
    }
    for lane in lanes:
        waiting = references_tried(lane.job, lane.waiting)
        referring = Referring(bench, frozen, lane.doubted, adopting, waiting)
        foreseen = await plan_references_of(referring, lane.job)
        rows += foreseen.destructive
        for source_id in foreseen.unread:  # what was seen of it before is not believed any more
            lane.draft.holding.pop(source_id, None)
    return rows


async def _live(bench: Bench, lanes: Sequence[PreparedLane], removals: Sequence[PlannedChange]) -> dict[Counted, int]:
    """What there was before the cycle. Memberships are many: they are counted only where some are to be removed."""
    live = {COUNTED[lane.job.resource_type]: lane.live for lane in lanes}
    if removals:
        counts = [await bench.ports.store.count_references(lane.lane) for lane in bench.job.lanes]
        live[Counted.MEMBERSHIPS] = sum(counts)
    return live


async def _prepare_lane(bench: Bench, job: Job, assigning: Assigning | None) -> PreparedLane:
    store = bench.ports.store
    snapshot = await (_nobody(bench, job) if job.ending else snapshot_of(bench.ports, job))
    consumption = await consume(job, bench.ports, snapshot)
    job = job if consumption is None else replace(job, lost=consumption.lost)
    rules = job.mapping.digest, job.scope
    mapping_changed = consumption is not None and (consumption.mapping, consumption.scope) != rules
    same_rules = consumption is not None and not mapping_changed and consumption.schema == job.mapping.schema
    anew = job.ending or bench.control.asked is CycleKind.INITIAL
    since = consumption.version if consumption is not None and same_rules and not anew else None
    kind = CycleKind.INITIAL if since is None or since > snapshot.version else CycleKind.INCREMENTAL
    _, live = await store.count_links(job.lane)
    if assigning is not None:
        whole = not assigning.resolution.unresolved
        job = replace(job, assigned=await assigning.assigned(job), whole=whole)
    trusted = consumption if same_rules else None
    census = await _compare(bench, job, kind, trusted)
    former = await store.unsettled(job.lane)
    waiting = _waiting(bench, job, former, trusted)
    extra = await _extra(bench, job, snapshot, (former, waiting))
    if assigning is not None and kind is CycleKind.INCREMENTAL:
        extra = replace(extra, reassigned=await assigning.reassigned(job))
    bench.control.progress.enter(Stage.EVALUATE, snapshot.count)
    batch = await _evaluate(bench, job, Feed(kind, snapshot, since, extra, bench.selection.of(job.resource_type)))
    draft = await Drafting(job, bench.ports, bench.session, bench.retrier, bench.control).draft(batch)
    compared = None if census is None else await conclude_comparison(bench, job, census)
    guarded = not job.ending and (mapping_changed or job.lost or (consumption is not None and consumption.guarded))
    if compared is not None and not (compared.strays or (compared.void and compared.orphans is not None)):
        job = replace(job, lost=False)
    lane = PreparedLane(
        job, kind, snapshot, draft, former, mapping_changed, guarded, live, extra.intents, waiting, compared
    )
    return replace(lane, beside=batch.beside)


async def _compare(bench: Bench, job: Job, kind: CycleKind, trusted: Consumption | None) -> Census | None:
    """A full comparison where one is due. Who was asked for is compared whenever the links are of these rules."""
    if isinstance(bench.selection, Chosen):
        if trusted is not None and not trusted.guarded:
            await compare_some(bench, job, bench.selection.named(job.resource_type))
        return None
    return await compare(bench, job) if kind is CycleKind.INCREMENTAL and await is_due(bench, job) else None


async def _extra(
    bench: Bench, job: Job, snapshot: Snapshot, left: tuple[Mapping[SourceId, Unsettled], Mapping[SourceId, Unsettled]]
) -> Extra:
    """Who is looked at besides; `left` are those who are undone, and those of them who wait."""
    store, (former, waiting) = bench.ports.store, left
    held = await held_of(job, bench.ports)
    return Extra(
        intents=await store.intents(job.lane),
        unsettled=former.keys() - waiting.keys(),
        held=[row.source_id for row in held[1] if row.resource_type is job.resource_type] if held else (),
        ripe=await _ripe(bench, job, snapshot),
        waiting=waiting,
        named=bench.selection.named(job.resource_type),
        doubted=await doubted_claims(job, bench.ports),
    )


async def _evaluate(bench: Bench, job: Job, feed: Feed) -> Batch:
    """The first pass, which is saved where nobody of the lane is meant."""
    return await evaluate(job, bench.ports, feed) if bench.selection.concerns(job.resource_type) else Batch()


def _waiting(
    bench: Bench, job: Job, former: Mapping[SourceId, Unsettled], trusted: Consumption | None
) -> dict[SourceId, Unsettled]:
    """Those in escrow whose time has not come, under a spec and a mapping under which a cycle has ended.

    Who is asked for by name does not wait.
    """
    if trusted is None or bench.is_new or trusted.guarded:
        return {}
    now, named = bench.ports.runtime.now(), bench.selection.named(job.resource_type)
    return {source_id: entry for source_id, entry in former.items() if entry.waits(now) and source_id not in named}


async def _nobody(bench: Bench, job: Job) -> Snapshot:
    """What the source is to a connector that ends: empty, as of now. Its links stay those to the source of before."""
    former, now = await bench.ports.store.consumption(job.lane), bench.ports.runtime.now()
    identity = "" if former is None else former.identity
    return Snapshot(
        version=0, count=0, attributes=(), identity=identity, digest="", watermark=None, completed=now, whole=now
    )


async def _ripe(bench: Bench, job: Job, snapshot: Snapshot) -> Collection[SourceId]:
    """Whose account was disabled so long ago that it is deleted, a complete read having come after that time."""
    after = job.deprovisioning.delete_after
    if after is None:
        return ()
    return await bench.ports.store.ripe(job.lane, min(snapshot.whole, bench.ports.runtime.now()) - after)


async def snapshot_of(ports: Ports, job: Job) -> Snapshot:
    """What the source was read as. Raises CycleError where it was not, or lacks what the mapping reads."""
    snapshot = await ports.store.snapshot(job.source, job.resource_type)
    source = f"IdentitySource/{job.source.partition('/')[2]}"
    if snapshot is None and job.resource_type is ResourceType.GROUP:
        message = (
            f"{source} reads no groups, and a mapping for groups is in use: set spec.ldap.groups or spec.csv.groups"
        )
        raise CycleError(message, reason="InvalidSpec")
    if snapshot is None:
        message = f"IdentitySource/{job.source} has not been read completely yet"
        raise CycleError(message, reason="SourceUnreachable")
    refuse_errors(find_unknown_attributes(job.requires, job.given(snapshot.attributes), source))
    return snapshot
