"""`usher validate`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from usher.cli.checks import Checks
from usher.cli.documents import Locations
from usher.cli.exits import Exit
from usher.cli.findings import Finding, unique
from usher.cli.manifests import Manifests, load_manifests
from usher.cli.options import manifest_options, output_option
from usher.cli.output import Block, Format, Heading, Result, Table, show
from usher.cli.terminal import complain, say
from usher.core.model.resources import Json


@click.command(
    short_help="Check manifests without a cluster or an app.", epilog="Example: usher validate -f examples/csv"
)
@manifest_options
@output_option
def validate(locations: Locations, output: Format) -> None:
    """Check manifests as far as that needs neither a cluster nor an app.

    Schemas, expressions, paths, references, and whether a CSV document has the attributes that a mapping reads (a
    directory is not asked: usher plan does). A Secret or ConfigMap that is not among the files is a warning: it may be
    in the cluster.

    Exit codes: 0 no errors; 1 errors.
    """
    manifests = load_manifests(locations)
    if manifests.note:
        say(f"note: {manifests.note}")
    findings = list(unique(asyncio.run(Checks(manifests).run())))
    if output is Format.TEXT:
        for finding in findings:
            complain(finding)
    result = _result(manifests, findings)
    if output is Format.MARKDOWN:
        result.blocks.append(_table(findings))
    show(result, output)
    failed = any(finding.is_error for finding in findings)
    click.get_current_context().exit(Exit.FAILED if failed else Exit.DONE)


def _result(manifests: Manifests, findings: Sequence[Finding]) -> Result:
    objects = len(manifests.connectors) + len(manifests.sources) + len(manifests.mappings) + len(manifests.data)
    objects += len(manifests.broken)
    errors = sum(finding.is_error for finding in findings)
    data: list[Json] = [
        {
            "severity": finding.severity.value,
            "file": finding.file,
            "object": finding.subject,
            "path": finding.path,
            "message": finding.message,
        }
        for finding in findings
    ]
    blocks: list[Block] = [Heading(f"{objects} objects: {errors} errors, {len(findings) - errors} warnings")]
    return Result({"objects": objects, "findings": data}, blocks)


def _table(findings: Sequence[Finding]) -> Table:
    rows = [(f.severity.value, f.file, f.subject, f.path, f.message) for f in findings]
    return Table(("severity", "file", "object", "path", "message"), rows)
