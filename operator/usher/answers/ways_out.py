"""What changes the state of somebody, in one sentence by reason: docs/troubleshooting.md has more of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOTHING: Final = "nothing has to be done"
_AGAIN: Final = "nothing has to be done: the next cycle looks again"

WAYS_OUT: Final[Mapping[str, str]] = {
    "ImportSkipped": "give them a value of a matching attribute at the source, or add another matching attribute",
    "DuplicateSourceEntries": "make the matching value unique at the source; give a returner the former id",
    "DuplicateTargetEntries": "merge or delete one of the accounts at the app",
    "OwnedByOtherConnector": "take them out of one of the two connectors; usher links OTHER ID --transfer THIS "
    "hands the account over",
    "Drifted": "the other lines of the log say what was changed at the app, and whether it is put back",
    "DriftedRevert": NOTHING,
    "DriftedReport": NOTHING,
    "StateLost": "decide on the account: disable it at the app, or set spec.safety.onStateLoss: Disable",
    "Transferred": NOTHING,
    "OutOfScope": "one filter of the mapping and one of the connector has to admit them: mend a filter, or the value "
    "at the source",
    "Unassigned": "add them, or a group that they are in, to spec.scope",
    "ScopeUnresolved": "mend the entry of spec.scope that is not understood",
    "NeverTouch": "only another pattern in spec.scope.neverTouch lets the account be written",
    "ActionNotAllowed": "add the action to the mapping's actions, or leave it so",
    "ScopingFailed": "shorten the value at the source, or write a simpler expression in the filter",
    "SourceDeleted": "they come back in when the source has them again, under this id",
    "SourceDisabled": "enable them at the source",
    "TargetCannotDisable": "remove the account at the app: it has no way to disable it",
    "ExpressionFailed": "mend the expression or the value at the source; usher eval shows each step",
    "SchemaPropertyCanOnlyAcceptValue": "map another value: this one does not fit the type at the app",
    "MandatoryFieldsMissing": "give them a value at the source, or the line of the mapping a default",
    "NoUniqueValue": "add another alternative to SelectUniqueValue",
    "AdoptionRefused": "let the connector adopt accounts, or rename the account at the app",
    "MissingValues": "map the attribute that the app demands, or give the line a default",
    "EntryConflict": "rename one of the accounts at the app, or change the value at the source in two steps",
    "InvalidAnchor": "nothing has to be done: the next cycle looks for an account anew",
    "ChangedSince": "what somebody has changed since the cycle stays: change it at the app if it is wrong",
    "AttributeNotMapped": "add the attribute to the mapping, or change it at the app",
    "TargetGone": NOTHING,
    "PlanHeld": "mend the source, or let somebody approve the held plan: usher plan NAME shows it",
    "Undone": "mend the source or the mapping before usher resume: the next cycle looks at them",
    "Interrupted": "nothing has to be done: the next cycle goes on",
    "Conflict": _AGAIN,
    "ChangeIgnored": "the attribute may be read-only at the app: take it out of the mapping",
    "CreateOutcomeUnknown": "the next cycle looks for the account; where the app can't be asked, look there, and say "
    "usher links NAME ID --no-account",
    "OutcomeUnknown": _AGAIN,
    "LicenseLimitExceeded": "buy licences at the app, or free some",
    "InsufficientRights": "see the detail in the log for the app's own words",
    "MethodNotAllowed": "see the detail in the log for the app's own words",
    "UnprocessableEntity": "see the detail in the log for the app's own words",
}


def way_out(reason: str) -> str:
    """What mends this reason; of one that has no words of its own, where to look."""
    return WAYS_OUT.get(reason, "see the detail in the log, and docs/troubleshooting.md")
