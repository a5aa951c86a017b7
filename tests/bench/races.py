"""Usher next to others: the same work, one after the other, again and again, and who goes first takes turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from bench.broken import Broken
from bench.figures import Figure, Pace, ratios
from bench.ground import Ground, comparable
from bench.processes import python, run
from bench.programs import connid_command
from bench.sink import Sink
from directory.configuration import PEOPLE, READER

PARALLEL_CONNID: Final = 8

Runner: TypeAlias = Callable[[], Mapping[str, Any]]
"""One run into an empty sink; its figures, `seconds` and `cpu` (seconds, too) among them."""


def race_bare_loop(ground: Ground) -> list[Figure]:
    """`vs_bare_loop`."""
    return [_race(ground, "vs_bare_loop", lambda: ground.initial_sync().told, _bare_loop(ground, ground.sink))]


def race_bare_loop_20ms(ground: Ground) -> list[Figure]:
    """`vs_bare_loop_20ms`."""
    sink = ground.slow_sink
    workspace = ground.directory_workspace(ground.directory, sink)
    people = ground.sizes.people
    ours = lambda: ground.sync_from_nothing(workspace, sink, people).told  # noqa: E731 - reads like its neighbours
    return [_race(ground, "vs_bare_loop_20ms", ours, _bare_loop(ground, sink))]


def race_scim2_client(ground: Ground) -> list[Figure]:
    """`vs_scim2_client`."""
    theirs = _looking_up(ground, "scim2-client", lambda: python("scim2_lookup", ground.sink.url, ground.directory.url))
    return [_race(ground, "vs_scim2_client", lambda: ground.initial_sync().told, theirs)]


def race_connid(ground: Ground) -> list[Figure]:
    """`vs_connid`."""
    command = connid_command()

    def connid() -> Mapping[str, Any]:
        account = (str(ground.directory.port), READER.dn, READER.password, PEOPLE)
        return run([*command, *account, ground.sink.url, str(PARALLEL_CONNID)])

    return [_race(ground, "vs_connid", lambda: ground.initial_sync().told, _looking_up(ground, "ConnId", connid))]


def _bare_loop(ground: Ground, sink: Sink) -> Runner:
    def theirs() -> Mapping[str, Any]:
        bodies, concurrency = ground.bodies, ground.initial[-1].told["concurrency"]
        sink.reset()
        told = python("bare_loop", sink.url, bodies, concurrency)
        sink.counts().require(ground.sizes.people, "the bare loop")
        return told

    return theirs


def _looking_up(ground: Ground, name: str, peer: Runner) -> Runner:
    """A peer that asks for each person first; everybody has to be there as Usher would have made them."""

    def theirs() -> Mapping[str, Any]:
        expected, sink = ground.documents, ground.sink
        sink.reset()
        told = peer()
        counts = sink.counts()
        counts.require(ground.sizes.people, name)
        if counts.kinds.get("find", 0) < ground.sizes.people:
            raise Broken(f"{name} looked up {counts.kinds.get('find', 0)} of {ground.sizes.people} people")
        if comparable(sink.documents()) != expected:
            raise Broken(f"{name} made other accounts than Usher")
        return told

    return theirs


def _race(ground: Ground, name: str, ours: Runner, theirs: Runner) -> Figure:
    theirs()  # what has to be built or made for it is made now; this run is not counted
    told: dict[str, list[Mapping[str, Any]]] = {"Usher": [], "the other": []}
    runners = tuple(zip(told.values(), (ours, theirs), strict=True))
    for number in range(ground.sizes.pairs):
        for runs, runner in runners if number % 2 == 0 else reversed(runners):
            runs.append(runner())
        rates = [ground.sizes.people / runs[-1]["seconds"] for runs in told.values()]
        ground.say(
            f"{name}: pair {number + 1} of {ground.sizes.pairs}: {rates[0]:,.0f} and {rates[1]:,.0f} users/s,"
            f" {rates[0] / rates[1]:.3g}"
        )
    for who, runs in told.items():
        ground.paces.append(Pace(f"{name}, {who}", ground.sizes.people, runs))
    us, them = ([run["seconds"] for run in runs] for runs in told.values())
    return Figure(name, ratios(us, them))
