"""The tests of the engine can fail: each of these faults, planted in a copy of the code, is caught by one of them.

Six of them at each commit, in rotation; all with USHER_EXHAUSTIVE in the environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AT_ONCE = 6
"""Each costs the start of a test run."""


@dataclass(frozen=True)
class Plant:
    """`old` in `module` becomes `new`; the tests of `caught_by` have to fail then."""

    module: str
    old: str
    new: str
    caught_by: str


PLANTS = {
    "an undo that died sends a create again where nobody can be looked for": Plant(
        "engine/reviving.py",
        "        if lane.settle is None and source_id in self.unfinished:",
        "        if False:",
        "tests/unit/engine/test_undo_limits.py",
    ),
    "an undo takes over strangers where nobody is taken over": Plant(
        "engine/reviving.py",
        "                    adopt=lane.adopt,\n",
        "",
        "tests/unit/engine/test_undo_limits.py",
    ),
    "an undo leaves out in silence what no mapping is for": Plant(
        "engine/undo.py",
        "    await _refuse_unmapped(bench, cycle)\n",
        "",
        "tests/unit/engine/test_undo_limits.py",
    ),
    "a run fails for what may be mended in the same breath": Plant(
        "kube/reconcile_run.py",
        "        if left <= 0:",
        "        if True:",
        "tests/unit/kube/test_runs.py::test_a_run_of_a_connector_that_is_not_there_waits_a_moment_and_fails",
    ),
    "a run that was deleted goes on": Plant(
        "kube/reconcile_connector.py",
        "if inputs is None or halted or unwanted or",
        "if inputs is None or halted or",
        "tests/unit/kube/test_runs.py::test_a_run_that_is_deleted_in_the_middle_ends_after_its_requests_in_flight",
    ),
    "a write that waited for its connection goes out though its permit has ended": Plant(
        "transport/http.py",
        'if self.method != "GET" and not is_permitted():',
        "if False:",
        "tests/unit/transport/test_http.py",
    ),
    "a write goes out though its permit ended at the last moment": Plant(
        "transport/http.py",
        "if is_permitted() or conn.protocol is None:",
        "if True:",
        "tests/unit/transport/test_http.py",
    ),
    "a write is not confirmed anew when its permit has ended": Plant(
        "engine/retry.py",
        "with permitted(await self._confirm()), suppress(Overdue):",
        "with permitted(await self._confirm()):",
        "tests/unit/engine/test_retry.py",
    ),
    "a run by name gives references to others": Plant(
        "engine/referring.py",
        "return self.bench.selection.among(lane.resource_type, holders)",
        "return holders",
        "tests/unit/engine/test_on_demand.py",
    ),
    "a run by name deals with everybody": Plant(
        "engine/selecting.py",
        "        return self.named(kind)",
        "        return _ALL",
        "tests/unit/engine/test_on_demand.py",
    ),
    "who is held goes by name": Plant(
        "core/sync/policies.py",
        "waiting = view.due if over else [change for change in view.due if subject_of(change) in held]",
        "waiting = view.due if over else []",
        "tests/unit/engine/test_on_demand.py",
    ),
    "ten at a time go by name whom a cycle would hold": Plant(
        "engine/preparing.py",
        "        beside={COUNTED[lane.job.resource_type]: lane.beside for lane in lanes},",
        "        beside={},",
        "tests/unit/engine/test_on_demand.py",
    ),
    "people go by name before a cycle has judged a new mapping": Plant(
        "core/sync/policies.py",
        "    over = GUARDED if fresh and view.guarded else",
        "    over = GUARDED if False else",
        "tests/unit/engine/test_on_demand.py",
    ),
    "a run by name matches without what others claim": Plant(
        "engine/evaluation.py",
        "        evaluated.claims[source_id] = [key.claim",
        "        evaluated.claims[source_id] = source_id in feed.meant and [key.claim",
        "tests/unit/engine/test_on_demand.py",
    ),
    "the read API answers whoever the cluster knows": Plant(
        "kube/readapi/server.py",
        "if not await self._desk.reviewer.may(user, asked.namespace, asked.name, question):",
        "if False:",
        "tests/unit/kube/test_read_api.py",
    ),
    "a right in one namespace opens the connectors of another": Plant(
        "kube/readapi/reviews.py",
        "self._rights.get((user.key, namespace, name, question), ask)",
        "self._rights.get((user.key, name, question), ask)",
        "tests/unit/kube/test_read_api.py",
    ),
    "the read API takes tokens that are meant for other programs": Plant(
        "kube/readapi/reviews.py",
        "if audiences and AUDIENCE not in",
        "if False and AUDIENCE not in",
        "tests/unit/kube/test_read_api.py",
    ),
    "an undo writes over what somebody has changed since": Plant(
        "core/sync/undoing.py",
        "        if equal(definition, held, edit.value):",
        "        if True:",
        "tests/unit/engine/test_undo.py",
    ),
    "an undo asks no budget": Plant(
        "engine/undo.py",
        "    if not reason:\n        return",
        "    if True:\n        return",
        "tests/unit/engine/test_undo.py",
    ),
    "a deleted account is created again without a look": Plant(
        "engine/reviving.py",
        "            if hits:",
        "            if False:",
        "tests/unit/engine/test_undo.py",
    ),
    "nobody looks again at who was undone": Plant(
        "engine/undo.py",
        "        entries = [Unsettled(one, UNDONE, 1, now) for one in ids]",
        "        entries = [Unsettled(one, UNDONE, 1, now) for one in ids[:0]]",
        "tests/unit/engine/test_undo.py",
    ),
    "who comes back disabled counts as active": Plant(
        "core/sync/recording.py",
        "    return change.cause != UNDONE or",
        "    return True or",
        "tests/unit/engine/test_undo.py",
    ),
    "a connector that runs is undone": Plant(
        "kube/connector_cycles.py",
        "errand.needs_rest and not now.suspended:",
        "errand.needs_rest and False:",
        "tests/unit/kube/test_runs.py::test_a_cycle_is_undone_while_the_connector_is_suspended",
    ),
    "what a change takes the place of is not written down": Plant(
        "engine/ranks.py",
        "write_intents(self.applier.job.lane, intents, journal)",
        "write_intents(self.applier.job.lane, intents)",
        "tests/unit/engine/test_journal.py",
    ),
    "a change that was refused stays in the journal": Plant(
        "engine/journaling.py",
        "                self._drop(self._open.pop(change.source_id, None))",
        "                self._open.pop(change.source_id, None)",
        "tests/unit/engine/test_journal.py",
    ),
    "what a lost answer had written counts as what was there before": Plant(
        "core/sync/journaling.py",
        "if path in change.delta and not written:",
        "if change.delta or written:",
        "tests/unit/engine/test_journal.py",
    ),
    "what a target never returns is in the journal": Plant(
        "core/sync/journaling.py",
        "isinstance(edit, Replace | Amend)}\n            empties",
        "isinstance(edit, Replace | Amend)}"
        " | {path: Replace(str(one)) for path, one in change.delta.items() if path in mapping.withheld}"
        "\n            empties",
        "tests/unit/engine/test_journal.py",
    ),
    "who is taken over stays in the groups that others put them into": Plant(
        "engine/recorder.py",
        "        if change.cause == ADOPTED:",
        "        if False:",
        "tests/unit/engine/test_references.py",
    ),
    "an explanation doesn't ask who is assigned": Plant(
        "engine/explaining.py",
        "return replace(lane, assigned=await assigning.assigned(lane), whole=not assigning.resolution.unresolved)",
        "return lane",
        "tests/unit/engine/test_explaining.py",
    ),
    "the log tells what Redact hides": Plant(
        "core/sync/telling.py",
        "if path in mapping.hidden else",
        "if path in mapping.withheld else",
        "tests/unit/engine/test_log.py",
    ),
    "values are in the log though nobody wants them": Plant(
        "engine/log_lines.py",
        "if self.job.log_values is LogValues.FULL else {}",
        "if self.job.log_values else {}",
        "tests/unit/engine/test_log.py",
    ),
    "what came of a change is timed without what was sent again": Plant(
        "engine/ranks.py",
        "timedelta(seconds=clock.monotonic() - began)",
        "timedelta()",
        "tests/unit/engine/test_log.py",
    ),
    "a log is kept for ever": Plant(
        "engine/cycle.py",
        "    await trim_log(ports, job.connector, job.log_retention)\n",
        "",
        "tests/unit/engine/test_log.py",
    ),
    "an account of two people is disabled after a loss of the state": Plant(
        "engine/strays.py",
        "            alone = len(people) == 1 and all(targets[person] == 1 for person in people)",
        "            alone = len(people) == 1",
        "tests/unit/engine/test_state_loss.py",
    ),
    "a loss of the state is forgotten after one cycle": Plant(
        "engine/preparing.py",
        "    job = job if consumption is None else replace(job, lost=consumption.lost)",
        "    job = job if consumption is None else replace(job, lost=False)",
        "tests/unit/engine/test_state_loss.py",
    ),
    "the cycle after a loss of the state is not guarded": Plant(
        "engine/preparing.py",
        "(mapping_changed or job.lost or ",
        "(mapping_changed or ",
        "tests/unit/engine/test_state_loss.py",
    ),
    "what a list lacks is gone": Plant(
        "engine/comparing.py",
        "            if await self._read(unseen):",
        "            if await self._read(unseen) and False:",
        "tests/unit/engine/test_comparing.py::test_an_account_that_only_the_list_lacks_is_not_gone",
    ),
    "a change that is tolerated is put back beside another": Plant(
        "core/sync/drifting.py",
        "    kept = mapping.withheld | mapping.tolerated",
        "    kept = mapping.withheld",
        "tests/unit/engine/test_comparing.py",
    ),
    "a leaver who was enabled at the app stays so": Plant(
        "core/sync/drifting.py",
        "    return (path,) if path is not None and now.get(path) is True else ()",
        "    return ()",
        "tests/unit/engine/test_comparing.py",
    ),
    "strangers in a group are drift": Plant(
        "core/sync/drifting.py",
        "if not ids.isdisjoint(ours)]",
        "if ids]",
        "tests/unit/engine/test_comparing.py::test_a_stranger_in_a_group_is_no_drift",
    ),
    "somebody in scope whom the comparison meets is an orphan": Plant(
        "engine/comparing.py",
        "if not any(people.get(claim) for claim in one.claims)",
        "if one.claims",
        "tests/unit/engine/test_comparing.py",
    ),
    "nothing satisfies a clause": Plant(
        "core/sync/scoping.py",
        "        return bool(values) and all(map(self._test, values))",
        "        return all(map(self._test, values))",
        "tests/unit/sync/test_scoping.py",
    ),
    "whoever leaves the scope keeps the access": Plant(
        "core/sync/mapping.py",
        "    if not mapping.scope.admits(resource.attributes):",
        "    if not mapping.scope.admits(resource.attributes) and False:",
        "tests/unit/engine/test_scope.py",
    ),
    "whoever left a filter counts as told deleted": Plant(
        "engine/changes.py",
        "            tally.gone[change.id] = change.evidence",
        "            tally.gone[change.id] = Evidence.TOLD",
        "tests/unit/engine/test_deprovisioning.py::test_a_leaver_is_treated_as_the_policy_says",
    ),
    "a deletion does not wait for one more complete read": Plant(
        "engine/preparing.py",
        "min(snapshot.whole, bench.ports.runtime.now()) - after",
        "bench.ports.runtime.now() - after",
        "tests/unit/engine/test_deprovisioning.py"
        "::test_what_is_to_be_deleted_waits_for_its_time_and_one_more_complete_read",
    ),
    "who lost the state to another process goes on sending": Plant(
        "engine/retry.py",
        "with permitted(await self._confirm()), suppress(Overdue):",
        "with permitted(FOR_EVER), suppress(Overdue):",
        "tests/integration/state/test_cycles_on_postgres.py"
        "::test_a_holder_who_was_paused_before_its_creates_makes_nothing_when_another_works_already",
    ),
    "who comes back does not ask whose the state is by now": Plant(
        "state/postgres.py",
        "!= (self._epoch,):",
        "== (0,):",
        "tests/integration/state/test_postgres.py::test_who_was_cut_off_while_another_came_and_went_writes_nothing",
    ),
    "a table that is made anew takes along what refers to it": Plant(
        "state/sqlite.py",
        "        loose = bool(connection.get_execution_options().get(LOOSE))",
        "        loose = False",
        "tests/integration/state/test_migrations.py::test_whoever_comes_from_the_baseline_keeps_every_row",
    ),
    "what is known of accounts is not encrypted": Plant(
        "state/schema.py",
        'Column("image", Sealed, nullable=False)',
        'Column("image", Content, nullable=False)',
        "tests/integration/state/test_encrypted_state.py::test_with_a_key_nobody_can_be_read_in_the_files",
    ),
    "whoever comes back goes on waiting to be deleted": Plant(
        "state/recording.py",
        "[*record.unlinked, *record.spared, *enabled]",
        "[*record.unlinked]",
        "tests/unit/engine/test_deprovisioning.py",
    ),
    "who was disabled already is never deleted": Plant(
        "engine/evaluation.py",
        "    return job.deprovisioning.of(cause) is Policy.DELETE",
        "    return False",
        "tests/unit/engine/test_deprovisioning.py",
    ),
    "a connector that is deleted asks the source once more": Plant(
        "engine/job.py",
        "        return {} if self.ending else await",
        "        return await",
        "tests/unit/engine/test_ending.py",
    ),
    "a deleted connector of a few people waits for an approval": Plant(
        "engine/preparing.py",
        "    guarded = not job.ending and (mapping_changed",
        "    guarded = True and (mapping_changed",
        "tests/unit/engine/test_ending.py",
    ),
    "a deleted connector is held for ever": Plant(
        "kube/ending.py",
        "    if view.now >= view.ending.deadline:",
        "    if False:",
        "tests/unit/kube/test_ending.py::test_the_next_step_follows_from_what_is_known",
    ),
    "a group whose members nobody knows any more keeps them when it leaves": Plant(
        "state/references.py",
        "or connection.execute(select(holders.c.lane_id)",
        "or connection.execute(select(references.c.lane_id)",
        "tests/unit/engine/test_ending.py",
    ),
    "an entry that is not understood costs its people the access": Plant(
        "engine/assigning.py",
        "        if not self.resolution.unresolved:",
        "        if True:",
        "tests/unit/engine/test_assignments.py",
    ),
    "whoever waits to leave leaves while an entry is not understood": Plant(
        "engine/drafting.py",
        "desired.cause == UNASSIGNED and not self.job.whole and",
        "desired.cause == UNASSIGNED and False and",
        "tests/unit/engine/test_assignments.py",
    ),
    "another assignment is noticed only with another person": Plant(
        "engine/assigning.py",
        "        if not self.fresh or assigned is None:",
        "        if True or assigned is None:",
        "tests/unit/engine/test_assignments.py",
    ),
    "whatever was not read of an account is taken for absent": Plant(
        "core/sync/untouchable.py",
        "        return self.paths <= image.keys()",
        "        return True",
        "tests/unit/engine/test_untouchable.py",
    ),
    "a create that runs into an account that is never written takes it over": Plant(
        "engine/apply.py",
        "        if self.job.mapping.untouchable.covers(image):",
        "        if False:",
        "tests/unit/engine/test_untouchable.py",
    ),
    "members of a group that is never written change": Plant(
        "engine/referring.py",
        "                spared = bool(rows) and await sparing.is_spared(self.bench.ports, holder.source_id)",
        "                spared = False",
        "tests/unit/engine/test_untouchable.py",
    ),
    "what waits for its turn goes out though the app asked for patience meanwhile": Plant(
        "transport/pace.py",
        "            while (start := max(self._next, self._resume)) > (now := self._runtime.monotonic()):",
        "            while (start := self._next) > (now := self._runtime.monotonic()):",
        "tests/unit/transport/test_pace.py",
    ),
    "licences that are used up stop whoever leaves": Plant(
        "engine/licences.py",
        "    return change.action is Action.CREATE or (enables and change.action in (Action.UPDATE, Action.LINK))",
        "    return True",
        "tests/unit/engine/test_licences.py",
    ),
    "one success does not lift a quarantine": Plant(
        "core/sync/quarantine.py",
        '    return "" if attempt.recovered else find_threshold(attempt.failures)',
        "    return find_threshold(attempt.failures)",
        "tests/unit/sync/test_quarantine.py",
    ),
    "a restart asks an app that wanted to be left alone": Plant(
        "engine/standing.py",
        "    if until is not None and 0 < (until - ports.runtime.now()).total_seconds() <= _LONGEST_REST:",
        "    if until is not None and ports.runtime is None:",
        "tests/unit/engine/test_standing.py",
    ),
    "a leaver in escrow waits like everybody": Plant(
        "core/sync/escrow.py",
        "    due = since if duty.always else next_try(since, attempts, now)",
        "    due = next_try(since, attempts, now)",
        "tests/unit/sync/test_escrow.py",
    ),
    "a member that is given makes up for a name that is not": Plant(
        "engine/undone.py",
        "        settled = same and self.is_settled(change.source_id)",
        "        settled = self.is_settled(change.source_id)",
        "tests/unit/engine/test_escrow.py",
    ),
    "what a changed mapping holds goes with the next cycle": Plant(
        "core/sync/policies.py",
        "    guarded = view.guarded or (held.guarded and bool(keep))",
        "    guarded = view.guarded",
        "tests/unit/engine/test_safety.py",
    ),
    "a column that is empty all of a sudden brings everybody back": Plant(
        "engine/snapshot.py",
        "        for ids in in_chunks(read.altered if blank else (), _AT_ONCE):",
        "        for ids in in_chunks((), _AT_ONCE):",
        "tests/unit/engine/test_snapshot.py",
    ),
    "whoever observes writes": Plant(
        "engine/cycle.py",
        "            if job.enforcement is Enforcement.OBSERVE:",
        "            if False:",
        "tests/unit/engine/test_observing.py",
    ),
    "people are taken for gone after an incomplete read": Plant(
        "engine/snapshot.py",
        """        if end is None:
            message = "the source ended its answer without saying that it was complete"
            raise IncompleteRead(message)
""",
        "        end = end or ReadComplete(None, ())\n",
        "tests/unit/engine/test_snapshot.py",
    ),
    "a read that broke off is published": Plant(
        "engine/snapshot.py",
        "        async for item in self.reader.fetch(resource_type, watermark):",
        "        async for item in _until_it_breaks(self.reader.fetch(resource_type, None)):",
        "tests/unit/engine/test_snapshot.py",
    ),
    "a shrunken read is believed": Plant(
        "engine/snapshot.py",
        "            _refuse_shrunken(self.job, read, approved)",
        "            pass",
        "tests/unit/engine/test_snapshot.py",
    ),
    "whom a read of changes does not mention is taken for gone": Plant(
        "engine/changes.py",
        "    if end.present is not None:\n        present = frozenset(end.present)\n",
        "    if True:\n        present = frozenset(end.present or ())\n",
        "tests/unit/engine/test_changes.py",
    ),
    "changes that take half of the people are believed": Plant(
        "engine/snapshot.py",
        "        if kept * 100 < self.job.min_retained * former.count or kept + found.added == 0:\n",
        "        if kept < 0:\n",
        "tests/unit/engine/test_changes.py",
    ),
    "an unknown create is sent again without a look": Plant(
        "engine/apply.py",
        "            hits = await _look_after(error, self._look(change))\n",
        "            return await self._create(change)\n",
        "tests/unit/engine/test_faults.py::test_a_change_whose_end_is_unknown_is_not_made_twice",
    ),
    "the hit of a filter is not checked": Plant(
        "core/scim/filters.py",
        "    return bool(key) and all(_holds(criterion, resource, schema) for criterion in key)",
        "    return bool(key)",
        "tests/contract/target/test_scim_faults.py",
    ),
    "links are recorded before the target confirmed them": Plant(
        "engine/apply.py",
        "            hits = await _look_after(error, self._look(change))\n",
        "            return Done(change, link_after(self.job.mapping, replace(change, target_id='nobody'), None))\n",
        "tests/unit/engine/test_guarantees.py::test_a_create_that_came_to_nothing_is_sent_again_after_two_looks",
    ),
    "the budget is ignored": Plant(
        "core/sync/policies.py",
        "        if count > self.max_count:\n            return False\n",
        "        return True\n",
        "tests/unit/engine/test_safety.py",
    ),
    "where all needs an approval creates go on": Plant(
        "engine/preparing.py",
        "await _all_that_is_shown(bench, lanes), circumstances)",
        "removals, circumstances)",
        "tests/unit/engine/test_approval.py",
    ),
    "an approval writes values that nobody was shown": Plant(
        "core/sync/policies.py",
        "            same = due.fingerprint == held.fingerprint and held.target_id in (None, due.target_id)",
        "            same = held.target_id in (None, due.target_id)",
        "tests/unit/engine/test_approval.py",
    ),
    "an approval writes references that nobody was shown": Plant(
        "engine/writing.py",
        "        for look in range(_LOOKS)[-1 if self.whole else 0 :]:",
        "        for look in range(_LOOKS):",
        "tests/unit/engine/test_approval.py",
    ),
    "other ids of the source make leavers of everybody": Plant(
        "engine/anchoring.py",
        "    if former.identity != snapshot.identity:",
        "    if False:",
        "tests/unit/engine/test_anchoring.py",
    ),
    "links that were found again are in force before anybody has approved them": Plant(
        "engine/cycle.py",
        "    if bench.job.anew is not None and held is None and prepared.judgement.hold is not None:",
        "    if bench.job.anew is not None:",
        "tests/unit/engine/test_anchoring.py",
    ),
    "what is found again is written without an approval": Plant(
        "engine/preparing.py",
        "    return job.approval is Approval.ALWAYS or job.anew is not None",
        "    return job.approval is Approval.ALWAYS",
        "tests/unit/engine/test_anchoring.py",
    ),
    "whoever left with the old ids is forgotten": Plant(
        "engine/anchoring.py",
        "            lost = True",
        "            pass",
        "tests/unit/engine/test_anchoring.py",
    ),
    "an unknown create is forgotten with the old ids": Plant(
        "engine/feeding.py",
        "        if intent is None and any(key.claim in self.doubted for key in desired.keys):",
        "        if False:",
        "tests/unit/engine/test_anchoring.py",
    ),
    "whoever left before a restart of the links is never looked at": Plant(
        "engine/anchoring.py",
        "    looks = [one.source_id for one in kept if one.enabled and one.source_id not in known]",
        "    looks = [one.source_id for one in kept if not one.enabled]",
        "tests/unit/engine/test_restarting.py",
    ),
    "a restart makes a second account for who was renamed at the app": Plant(
        "engine/matching.py",
        "        if self.job.anew is not None and self.job.anew.same_ends:",
        "        if False:",
        "tests/unit/engine/test_restarting.py",
    ),
    "a restart forgets whoever failed": Plant(
        "state/links.py",
        "    connection.execute(update(unsettled).where(*failed).values(fresh))",
        "    connection.execute(delete(unsettled).where(*failed))",
        "tests/unit/engine/test_restarting.py",
    ),
    "an approval is good for ever": Plant(
        "engine/safety.py",
        "    newly = await store.approve(job.connector, approval)\n",
        "    newly = approval == hold.hash\n",
        "tests/unit/engine/test_safety.py",
    ),
    "the account of another connector is taken over": Plant(
        "core/sync/matching.py",
        "    if owner is None or owner == (evidence.connector, source_id):\n        return Matched(hit)",
        "    if owner is None or owner[0] != evidence.connector:\n        return Matched(hit)",
        "tests/unit/engine/test_ownership.py",
    ),
    "intents are not written": Plant(
        "engine/ranks.py",
        "write_intents(self.applier.job.lane, intents, journal)",
        "write_intents(self.applier.job.lane, [], journal)",
        "tests/unit/engine/test_faults.py::test_somebody_who_leaves_right_after_an_unknown_create_is_disabled",
    ),
    "rows that nobody came to keep their intents": Plant(
        "engine/ranks.py",
        "        if rank.waiting:\n",
        "        if False:\n",
        "tests/unit/engine/test_midway.py",
    ),
    "what became of a save is told to nobody": Plant(
        "engine/recorder.py",
        "            saving.result()\n",
        "",
        "tests/unit/engine/test_recorder.py",
    ),
    "whoever claims what somebody else claims is taken for unmatched": Plant(
        "engine/matching.py",
        "        known = rivals.keys() | candidates.hits.keys()\n",
        "        known = candidates.hits.keys()\n",
        "tests/unit/engine/test_cycle.py",
    ),
    "rows beyond the first statement are forgotten": Plant(
        "state/statements.py",
        "    while start < len(rows):\n",
        "    while start == 0 < len(rows):\n",
        "tests/unit/state/test_statements.py",
    ),
    "a target that can't say what it is now is taken for one that says nothing": Plant(
        "engine/discovering.py",
        "        if stored is None:\n            raise\n",
        "        if stored is None:\n            return Known(Discovery())\n",
        "tests/unit/engine/test_discovery.py",
    ),
    "an answer that may pass is taken for a no": Plant(
        "core/scim/responses.py",
        "    if answer.status in _NOT_OFFERED:\n",
        "    if not _succeeded(answer):\n",
        "tests/contract/target/test_scim_discovery.py",
    ),
    "the disable attribute is what the target says": Plant(
        "core/scim/definitions.py",
        '_DISABLE: Final = "active"',
        '_DISABLE: Final = "nothing"',
        "tests/unit/scim/test_discovery.py",
    ),
    "the members of all groups are read though nobody wants them": Plant(
        "targets/scim/session.py",
        "        if resource_type is not ResourceType.GROUP or not self._excludes or wants_members(wanted):\n",
        "        if True:\n",
        "tests/contract/target/test_scim_groups.py",
    ),
    "new members take the place of all others": Plant(
        "core/scim/patches.py",
        '        operations.append({"op": "add", "path": parsed.text, "value": list(edit.add)})\n',
        '        operations.append({"op": "replace", "path": parsed.text, "value": list(edit.add)})\n',
        "tests/property/scim/test_members_go_from_before_to_after.py",
    ),
    "a new manager has the address of the former one": Plant(
        "core/scim/patches.py",
        "        case Replace(value=dict()) if before is not None and parsed.filter is None:\n",
        "        case Replace(value=dict()) if False:\n",
        "tests/property/scim/test_members_go_from_before_to_after.py",
    ),
    "an app that lists its types without groups is taken to have some": Plant(
        "core/scim/discovery.py",
        "if user is not None and group is None else ()",
        "if False else ()",
        "tests/unit/scim/test_discovery.py",
    ),
    "nobody is looked at again under another schema": Plant(
        "engine/preparing.py",
        " and consumption.schema == job.mapping.schema",
        "\n",
        "tests/unit/engine/test_discovery.py",
    ),
    "a path that the target's schema does not name is taken": Plant(
        "core/sync/linting.py",
        "        if unknown:\n",
        "        if unknown and rule.place == '':\n",
        "tests/unit/assembly/test_linting.py",
    ),
    "what is wrong with a mapping at its target is told to nobody": Plant(
        "core/sync/linting.py",
        "    refuse_errors(_find_flaws(retyped, target))\n",
        "",
        "tests/unit/engine/test_discovery.py",
    ),
    "a test of a mapping passes, whatever came": Plant(
        "cli/trials.py",
        "        if not _same(value, found):\n",
        "        if not _same(value, value):\n",
        "tests/unit/cli/test_validate.py",
    ),
    "one empty list of the target is believed": Plant(
        "engine/lookup.py",
        "                return Candidates(hits, await self._sample(wanted, hits))\n",
        "                return Candidates(hits, {})\n",
        "tests/unit/engine/test_faults.py::test_a_target_whose_lists_are_always_empty_gets_no_second_accounts",
    ),
    "Item counts from the second value": Plant(
        "core/expressions/functions/lists.py",
        "values[place - 1]",
        "values[place - 2]",
        "tests/unit/expressions/test_vectors.py",
    ),
    "Mid counts from 0": Plant(
        "core/expressions/functions/texts.py",
        "start(attributes) - 1",
        "start(attributes)",
        "tests/unit/expressions/test_vectors.py",
    ),
    "Coalesce passes over the empty text": Plant(
        "core/expressions/functions/presence.py",
        "if value is not None and value != ():",
        "if value:",
        "tests/unit/expressions/test_vectors.py",
    ),
    "NormalizeDiacritics gives the base letter of a letter that is spelled out": Plant(
        "core/expressions/functions/letters.py",
        '"ø": "oe", ',
        '"ø": "o", ',
        "tests/unit/expressions/test_vectors.py",
    ),
    "Replace replaces the match and not its group": Plant(
        "core/expressions/functions/replacing.py",
        "pattern.rewrite(text, template, group)",
        "pattern.rewrite(text, template)",
        "tests/unit/expressions/test_vectors.py",
    ),
    "weeks start on Mondays": Plant(
        "core/expressions/moments.py",
        "            return moment.date.toordinal() // 7  #",
        "            return (moment.date.toordinal() - 1) // 7  #",
        "tests/unit/expressions/test_vectors.py",
    ),
    "a month later than the last day of one is an error": Plant(
        "core/expressions/moments.py",
        "min(day.day, last)",
        "day.day",
        "tests/unit/expressions/test_vectors.py",
    ),
    "an offset from UTC is added": Plant(
        "core/expressions/moments.py",
        'return -ticks if sign == "-" else ticks',
        'return ticks if sign == "-" else -ticks',
        "tests/unit/expressions/test_vectors.py",
    ),
    "characters to avoid come all the same": Plant(
        "core/expressions/functions/chance.py",
        "set(characters) - self.avoided",
        "set(characters)",
        "tests/unit/expressions/test_vectors.py",
    ),
    "numbers that are not 1 are no truth": Plant(
        "core/expressions/functions/numbers.py",
        "        return number != 0\n",
        "        return number == 1\n",
        "tests/unit/expressions/test_vectors.py",
    ),
    "a date of a directory is rounded to a second": Plant(
        "core/expressions/functions/dates.py",
        "        return moment.ticks - FILETIME_ZERO\n",
        "        return (moment.ticks - FILETIME_ZERO) // 10**7 * 10**7\n",
        "tests/unit/expressions/test_vectors.py",
    ),
    "a format without a year is read by": Plant(
        "core/expressions/datereading.py",
        'if "y" not in letters and (',
        'if "y" in letters and not (',
        "tests/unit/expressions/test_vectors.py",
    ),
}
SWALLOW = """

async def _until_it_breaks(feed):
    try:
        async for item in feed:
            yield item
    except IncompleteRead:
        yield ReadComplete(None, ())
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("operator", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "src"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run_tests(directory: Path, selection: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", selection],
        cwd=directory,
        env={
            "PYTHONPATH": f"{directory / 'operator'}:{directory / 'tests'}",
            "PATH": "/usr/bin:/bin",
            "HOME": str(directory),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def in_rotation() -> list[str]:
    """Which faults are planted this time: another part of them at each commit, all with USHER_EXHAUSTIVE."""
    if os.environ.get("USHER_EXHAUSTIVE"):
        return list(PLANTS)
    counted = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    turn = int(counted or 0)
    names = list(PLANTS)
    return [names[(turn * AT_ONCE + place) % len(names)] for place in range(AT_ONCE)]


@pytest.mark.parametrize("name", PLANTS)
def test_the_code_in_which_a_fault_is_planted_is_there(name: str) -> None:
    plant = PLANTS[name]

    assert (ROOT / "operator" / "usher" / plant.module).read_text(encoding="utf-8").count(plant.old) == 1


@pytest.mark.parametrize("name", in_rotation())
def test_a_planted_fault_is_caught(copy: Path, name: str) -> None:
    plant = PLANTS[name]
    module = copy / "operator" / "usher" / plant.module
    code = module.read_text(encoding="utf-8")
    swallow = SWALLOW if "_until_it_breaks" in plant.new else ""
    module.write_text(code.replace(plant.old, plant.new) + swallow, encoding="utf-8")

    result = run_tests(copy, plant.caught_by)

    assert result.returncode == 1, result.stdout[-3000:]
    assert " failed" in result.stdout
