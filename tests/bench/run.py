"""`make bench`: what Usher reaches next to others, and what it costs, on this machine.

python tests/bench/run.py [--only FIGURE]... [--pairs N] [--rehearse]

It prints a table and writes the medians to build/bench.json, one flat object. Requests are counted by the sink, a fast
SCIM app in memory (tests/bench/sink); people come from a private slapd or from a CSV file. Every run is a process of
its own. A goal that is missed is told and is no failure; a run that says nothing (a program is missing, a peer failed,
the sink holds other people than it should) ends with 1 and writes nothing.

Ratios are how many times as many users a second Usher creates, next to somebody who does the same work right before or
after it: medians of --pairs pairs, in which the first place takes turns. Usher's time is that of the whole command
`usher sync` with 5,000 people in slapd and an empty app, from before the manifests are read until the last record is
on the disk; only the start of the interpreter and imports are left out, on both sides.

  vs_bare_loop        a loop of aiohttp that sends the same bodies, ready made, and parses each answer; it reads no
                      directory, keeps no state and looks at no error. As many requests in flight as Usher has by
                      default (spec.target.scim.connections in effect), because more or fewer would compare settings
  vs_bare_loop_20ms   the same, with an app whose every answer takes 20 ms
  vs_scim2_client     scim2-client, synchronous as it comes: reads the directory, looks each user up, creates it
  vs_connid           ConnId's LDAP and SCIM connectors, the ones under Apache Syncope, 8 users in parallel: the same
                      three steps. Called directly, without logging and without the framework's facade

Costs are of Usher alone.

  requests_per_created_user      all requests of an initial sync of 5,000 people (checks, lists and look-ups too)
  requests_per_changed_user      all requests of a cycle in which 100 of 5,000 people have changed
  writes_second_cycle            creates, patches, puts and deletes of the cycle after the initial one
  cpu_ms_per_created_user        CPU of all threads, user and system, of an initial sync of 5,000 people from slapd
  zero_change_cpu_s_100k         CPU of a whole process, its start included, that reads 100,000 people from a CSV file
                                 and finds that nothing is to do
  incremental_cpu_s_100_of_100k  CPU of one `usher sync`, without its start: of 100,000 people in slapd 100 have
                                 changed. The source is read by its changes (modifyTimestamp), the changed are compared
                                 and patched, everything is saved
  rss_mb_100k                    resident memory of an initial `usher sync` of 100,000 people from a CSV file at its
                                 peak, above that of a process that has done one of a single person; MB of 10^6 bytes
  loop_lag_p99_ms                in that same sync a task that sleeps 5 ms notes by how much it wakes late: the 99th
                                 percentile. Beside it, how late an idle loop in another process was meanwhile: what
                                 of it is the machine's
  mapping_vs_python              CPU of a mapping of 12 attributes, 4 of them expressions, next to a function of Python
                                 that somebody wrote by hand for the same: 2,000 people in one process, pairs as above.
                                 Both give values, what the account is found by, and a digest of the values
  mapping_us_per_user            in the same runs, CPU of the mapping, microseconds a person
  leaver_p99_s                   of 50,000 people in slapd 500 are deleted: seconds from the start of one `usher sync`,
                                 before it reads its manifests and then what changed (Syncrepl), to the answer to
                                 the disable of each, by the clock of the sink; the 99th percentile of them
  group_20k_initial_requests     all requests of the cycle that makes a group and gives it 20,000 members, at an app in
                                 memory that counts what it is asked
  group_20k_change_requests      all requests of the cycle after it, in which there is one member more
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # its packages go by the names `bench`, `cluster` and `directory`

from bench.broken import Broken
from bench.costs import (
    measure_changes,
    measure_creations,
    measure_crowd,
    measure_few_of_a_crowd,
    measure_groups,
    measure_leavers,
    measure_mapping,
)
from bench.figures import NAMES, Figure, paces_table, save, table
from bench.ground import Ground, Sizes
from bench.places import RESULT, ROOT
from bench.races import race_bare_loop, race_bare_loop_20ms, race_connid, race_scim2_client
from cluster.places import ClusterError
from directory.slapd import SlapdError

MEASUREMENTS: Final[Mapping[Callable[[Ground], list[Figure]], Sequence[str]]] = {
    race_bare_loop: ("vs_bare_loop",),
    race_bare_loop_20ms: ("vs_bare_loop_20ms",),
    race_scim2_client: ("vs_scim2_client",),
    race_connid: ("vs_connid",),
    measure_creations: ("requests_per_created_user", "cpu_ms_per_created_user"),
    measure_changes: ("writes_second_cycle", "requests_per_changed_user"),
    measure_crowd: ("rss_mb_100k", "loop_lag_p99_ms", "zero_change_cpu_s_100k"),
    measure_few_of_a_crowd: ("incremental_cpu_s_100_of_100k",),
    measure_leavers: ("leaver_p99_s",),
    measure_mapping: ("mapping_vs_python", "mapping_us_per_user"),
    measure_groups: ("group_20k_initial_requests", "group_20k_change_requests"),
}
"""In their order, with the figures that each gives."""

REHEARSAL: Final = Sizes(people=600, crowd=1_000, changed=20, mapped=100, members=250, staff=600, leavers=30, pairs=1)
"""More people than a page of the directory holds."""
_BEGIN: Final = time.monotonic()


def measure(ground: Ground, wanted: Sequence[str]) -> dict[str, Figure]:
    """The wanted figures, by name. Raises Broken."""
    found: dict[str, Figure] = {}
    for measurement, names in MEASUREMENTS.items():
        if not set(names).isdisjoint(wanted):
            found |= {figure.name: figure for figure in measurement(ground) if figure.name in wanted}
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and saves; the exit code."""
    chosen = _parser().parse_args(arguments)
    _warn_if_busy()
    sizes = REHEARSAL if chosen.rehearse else Sizes(pairs=chosen.pairs)
    try:
        with Ground(sizes, say) as ground:
            figures = measure(ground, chosen.only or NAMES)
            paces = tuple(ground.paces)
    except (Broken, ClusterError, SlapdError) as error:
        say(f"broken, nothing is written: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted, nothing is written")
        return 130
    if paces:
        _print([*paces_table(paces), ""])
    _print(table(figures))
    if chosen.rehearse:
        say("a rehearsal with few people: these are no figures, and nothing is written")
    else:
        save(figures.values(), RESULT)
        say(f"written to {RESULT.relative_to(ROOT)}")
    return 0


def say(line: str) -> None:
    """Tells how far it is, on stderr."""
    sys.stderr.write(f"{time.monotonic() - _BEGIN:6.0f} s  {line}\n")


def _warn_if_busy() -> None:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        say(f"others use this machine (load {load:.1f}, {cores} cores): trust CPU and requests, not rates and lags")


def _end(number: int, _frame: FrameType | None) -> None:
    """Leaves like an error does, so that what was started is ended."""
    say(f"ended by {signal.Signals(number).name}, nothing is written")
    sys.exit(128 + number)


def _print(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measures Usher next to others, prints a table and writes build/bench.json.",
        epilog='Example: make bench ARGS="--only rss_mb_100k --pairs 3", after which the file holds that figure alone.',
    )
    parser.add_argument("--only", action="append", choices=NAMES, metavar="FIGURE", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--pairs", type=_positive, default=Sizes().pairs, metavar="N", help="pairs of runs a ratio; 7")
    parser.add_argument("--rehearse", action="store_true", help="every step with few people; writes nothing")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main())
