"""Those whom `usher run --type OnDemand` names: from the command line, and in the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from usher.api.v1alpha1.objects import read_status
from usher.api.v1alpha1.provisioning_runs import BY_NAME, MAX_SUBJECTS, ProvisioningRunStatus, SubjectStep
from usher.cli.output import Block, Heading, Table

_GROUP: Final = "Group:"
_COLUMNS: Final = ("subject", "import", "scope", "match", "action", "changed")
_BAD: Final = frozenset({"Failure", "Unknown"})

subjects_option: Final = click.option(
    "--subject",
    "subjects",
    multiple=True,
    metavar="[Group:]ATTRIBUTE=VALUE",
    help=f"Whom {BY_NAME} is about, by an attribute of the source; repeatable, {MAX_SUBJECTS} at most.",
)


def subjects_of(kind: str, words: Sequence[str]) -> Mapping[str, Any]:
    """What they add to the spec of a run of this type. Raises UsageError."""
    if (kind == BY_NAME) != bool(words):
        message = f"--subject is for --type {BY_NAME}, which needs one at least"
        raise click.UsageError(message)
    if len(words) > MAX_SUBJECTS:
        message = f"{len(words)} times --subject: a run is about {MAX_SUBJECTS} at most"
        raise click.UsageError(message)
    return {"subjects": [_subject(word) for word in words]} if words else {}


def _subject(word: str) -> Mapping[str, str]:
    named, equals, value = word.removeprefix(_GROUP).partition("=")
    if not (named and equals and value):
        message = f"--subject {word}: write ATTRIBUTE=VALUE, such as userPrincipalName=alice@example.com"
        raise click.UsageError(message)
    subject = {"attribute": named, "value": value}
    return {"resourceType": "Group", **subject} if word.startswith(_GROUP) else subject


def lines_of(words: Sequence[str], raw: Mapping[str, Any]) -> list[Block]:
    """A line for each, in the words in which they were asked for, then what there is to say about them."""
    subjects = read_status(ProvisioningRunStatus, raw).subjects or ()
    rows, notes = [], []
    for one in subjects:
        word = words[one.index]
        rows.append((word, *(step.reason for step in one.steps), ", ".join(one.attributes or ())))
        notes += [(word, step.step, step.message) for step in one.steps if step.message and _is_telling(step)]
    blocks: list[Block] = [Table(_COLUMNS, rows)] if rows else []
    return [*blocks, Heading("why"), Table(("subject", "step", ""), notes)] if notes else blocks


def is_undone(raw: Mapping[str, Any]) -> bool:
    """Whether something failed for one of them, or waits."""
    subjects = read_status(ProvisioningRunStatus, raw).subjects or ()
    return any(step.result in _BAD or step.reason == "PlanHeld" for one in subjects for step in one.steps)


def _is_telling(step: SubjectStep) -> bool:
    return step.result != "Success" or step.step == "match"
