"""What a sync costs: requests, CPU, memory, and time in which nothing else in the process runs; what mapping costs."""

from __future__ import annotations

from bench.broken import Broken
from bench.figures import Figure, percentile, ratios
from bench.ground import Ground, Sync
from bench.processes import beside, python


def measure_creations(ground: Ground) -> list[Figure]:
    """`requests_per_created_user`, `cpu_ms_per_created_user`: of every initial sync that was raced, or of some."""
    done = ground.initial_syncs(ground.sizes.repeats)
    people = ground.sizes.people
    return [
        Figure("requests_per_created_user", [sync.counts.total / people for sync in done]),
        Figure("cpu_ms_per_created_user", [1000 * sync.told["cpu"] / people for sync in done]),
    ]


def measure_changes(ground: Ground) -> list[Figure]:
    """`writes_second_cycle`, `requests_per_changed_user`: three cycles in a row, of which the last has changes."""
    writes, requests = [], []
    for number in range(ground.sizes.repeats):
        ground.say(f"second and third cycle, {number + 1} of {ground.sizes.repeats}")
        workspace = ground.directory_workspace(ground.directory, ground.sink)
        first = ground.sync_from_nothing(workspace, ground.sink, ground.sizes.people)
        second = ground.sync(workspace, ground.sink, first.state)
        writes.append(float(second.counts.writes))
        change_directory(ground, f"second and third cycle {number}")
        third = ground.sync(workspace, ground.sink, first.state)
        _require_changes(ground, third)
        requests.append(third.counts.total / ground.sizes.changed)
    return [Figure("writes_second_cycle", writes), Figure("requests_per_changed_user", requests)]


def measure_crowd(ground: Ground) -> list[Figure]:
    """`rss_mb_100k`, `loop_lag_p99_ms`, `zero_change_cpu_s_100k`: everybody of a CSV file, twice."""
    sizes, sink = ground.sizes, ground.sink
    idle = _idle_memory(ground)
    workspace = ground.csv_workspace(ground.crowd, sink)
    memory, lag, rest = [], [], []
    for number in range(sizes.repeats):
        ground.say(f"{sizes.crowd:,} people from a CSV file, {number + 1} of {sizes.repeats}")
        with beside("idle_loop") as end_idle:
            first = ground.sync_from_nothing(workspace, sink, sizes.crowd, "--watch")
            machine = end_idle()["lag"][1]
        peak, (_, late, latest) = first.told["peak"], first.told["lag"]
        memory.append(peak - idle)
        lag.append(late)
        ground.say(
            f"{sizes.crowd / first.told['seconds']:,.0f} users/s, {peak:.0f} MB at the most, idle {idle:.0f};"
            f" the loop was late by {late:.0f} ms (p99), {latest:.0f} ms (once),"
            f" an idle one beside it by {machine:.0f} ms (p99)"
        )
        again = ground.sync(workspace, sink, first.state)
        if again.counts.writes:
            raise Broken(f"a cycle without a change wrote {again.counts.writes} times")
        rest.append(again.told["process_cpu"])
    return [
        Figure("rss_mb_100k", memory),
        Figure("loop_lag_p99_ms", lag),
        Figure("zero_change_cpu_s_100k", rest),
    ]


def measure_few_of_a_crowd(ground: Ground) -> list[Figure]:
    """`incremental_cpu_s_100_of_100k`."""
    sizes, sink = ground.sizes, ground.sink
    workspace = ground.directory_workspace(ground.crowded_directory, sink)
    ground.say(f"{sizes.crowd:,} people from a directory")
    first = ground.sync_from_nothing(workspace, sink, sizes.crowd)
    ground.sync(workspace, sink, first.state)  # changes are told from the second whole read on
    spent = []
    for number in range(sizes.repeats):
        ground.say(f"{sizes.changed} of them changed, {number + 1} of {sizes.repeats}")
        change_directory(ground, f"few of a crowd {number}", crowded=True)
        done = ground.sync(workspace, sink, first.state)
        _require_changes(ground, done)
        spent.append(done.told["cpu"])
    return [Figure("incremental_cpu_s_100_of_100k", spent)]


def measure_leavers(ground: Ground) -> list[Figure]:
    """`leaver_p99_s`: people are taken out of the directory; from the start of the command to each one's disable."""
    sizes, sink = ground.sizes, ground.sink
    workspace = ground.directory_workspace(ground.staffed_directory, sink, "Syncrepl")
    ground.say(f"{sizes.staff:,} people from a directory")
    first = ground.sync_from_nothing(workspace, sink, sizes.staff)
    ground.sync(workspace, sink, first.state)  # changes are told from the second whole read on
    staff, late = list(ground.staff), []
    for number in range(sizes.repeats):
        ground.say(f"{sizes.leavers} of them leave, {number + 1} of {sizes.repeats}")
        leavers = {entry.dn: entry for entry in staff[:: len(staff) // sizes.leavers][: sizes.leavers]}
        for dn in leavers:
            ground.staffed_directory.delete(dn)
        before = len(sink.patches())
        done = ground.sync(workspace, sink, first.state)
        answered = sink.patches()[before:]
        if (done.counts.writes, len(answered)) != (len(leavers), len(leavers)):
            raise Broken(f"{len(leavers)} people left, and Usher wrote {done.counts.writes} times")
        late.append(percentile([moment - done.told["began"] for moment in answered], 99))
        staff = [entry for entry in staff if entry.dn not in leavers]
    return [Figure("leaver_p99_s", late)]


def measure_mapping(ground: Ground) -> list[Figure]:
    """`mapping_vs_python`, `mapping_us_per_user`: nothing but what is wanted of each person, without a sync."""
    sizes = ground.sizes
    ground.say(f"mapping {sizes.mapped:,} people, and the same by hand, in {sizes.pairs} pairs")
    told = python("mapping", sizes.mapped, sizes.pairs)
    ours, by_hand = told["ours"], told["theirs"]
    for mine, their in zip(ours, by_hand, strict=True):
        ground.say(f"{1e6 * mine:.1f} and {1e6 * their:.1f} us of CPU a person, {mine / their:.3g}")
    return [
        Figure("mapping_vs_python", ratios(by_hand, ours)),
        Figure("mapping_us_per_user", [1e6 * seconds for seconds in ours]),
    ]


def measure_groups(ground: Ground) -> list[Figure]:
    """`group_20k_initial_requests`, `group_20k_change_requests`: counts, which are the same in every run."""
    ground.say(f"a group of {ground.sizes.members:,} members")
    told = python("group_members", ground.sizes.members)
    return [
        Figure("group_20k_initial_requests", [told["initial"]]),
        Figure("group_20k_change_requests", [told["change"]]),
    ]


def change_directory(ground: Ground, title: str, *, crowded: bool = False) -> None:
    """Gives some people a new title."""
    directory = ground.crowded_directory if crowded else ground.directory
    people = ground.crowd if crowded else ground.people
    step = len(people) // ground.sizes.changed
    for entry in people[:: max(step, 1)][: ground.sizes.changed]:
        directory.modify(entry.dn, {"title": [title]})


def _require_changes(ground: Ground, sync: Sync) -> None:
    """Raises Broken unless everybody who changed was written, once."""
    patches, writes = sync.counts.kinds.get("patch", 0), sync.counts.writes
    if (patches, writes) != (ground.sizes.changed, ground.sizes.changed):
        raise Broken(f"{ground.sizes.changed} people changed, and Usher sent {patches} patches of {writes} writes")


def _idle_memory(ground: Ground) -> float:
    """MB of a process that has done a sync of one person: everything is imported, nothing is held."""
    workspace = ground.csv_workspace(ground.people[:1], ground.sink)
    return float(ground.sync_from_nothing(workspace, ground.sink, 1).told["rss"])
