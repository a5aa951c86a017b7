"""The pages say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from usher.api.conditions import Reason
from usher.core.expressions.functions import FUNCTIONS

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "operator" / "usher"
LITERAL = re.compile(r"reason(?:: str)? ?= ?\"([A-Z][A-Za-z]+)\"")
NOT_FOR_USERS = {
    "NotFound",  # of one request to the API server, answered by who asked
    "Forbidden",  # becomes AccessDenied
    "Unauthorized",  # becomes CredentialsRejected or ClusterUnreachable
    "SpecInvalid",  # the event that comes with InvalidSpec
    "NothingHeld",  # said by `usher approve`, with the way out beside it
    "OtherHeld",  # as above
    "OutputUnusable",  # of `usher crds --output`
    "AddressUnusable",  # of `usher operator --listen`
    "WebExceptionProtocolError",  # an answer of one request that is no SCIM, in the log with its detail
}


def reasons_in_code() -> set[str]:
    layers = ("core", "engine", "sources", "targets", "transport", "state", "kube", "cli")
    modules = [path for layer in layers for path in (PACKAGE / layer).rglob("*.py")]
    return {reason for path in modules for reason in LITERAL.findall(path.read_text(encoding="utf-8"))}


def test_every_reason_has_its_cause_and_cure() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    wanted = {reason.value for reason in Reason} | reasons_in_code()
    assert sorted(reason for reason in wanted - NOT_FOR_USERS if f"`{reason}`" not in page) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_its_signature_in_the_docs(name: str) -> None:
    page = (ROOT / "docs" / "expressions.md").read_text(encoding="utf-8")
    assert f"`{FUNCTIONS[name].signature}`" in page


def test_every_link_between_our_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "operator").glob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))]
    assert [
        f"{page.relative_to(ROOT)}: {link}"
        for page, link in links
        if not link.startswith("http") and not (page.parent / link).exists()
    ] == []
