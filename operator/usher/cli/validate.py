"""`usher validate`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from usher.cli.checks import Checks
from usher.cli.documents import Locations
from usher.cli.exits import Exit
from usher.cli.findings import Finding, unique
from usher.cli.manifests import Manifests, load_manifests
from usher.cli.mapping_tests import read_cases
from usher.cli.options import manifest_options, output_option
from usher.cli.output import Block, Format, Heading, Result, Table, show
from usher.cli.schemas import read_schemas
from usher.cli.terminal import complain, say
from usher.cli.trials import Trials, blocks_of, data_of
from usher.core.model.resources import Json


@click.command(
    short_help="Check manifests without a cluster or an app.",
    epilog="Example: usher validate -f examples/csv --schemas schemas.json --test tests.yaml",
)
@manifest_options
@click.option(
    "--schemas",
    "schemas",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the app answers to GET /Schemas, as JSON or YAML: checked against in place of RFC 7643.",
)
@click.option(
    "--test",
    "tests",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Unit tests of mappings, as YAML or JSON: people, and the values expected of them. Can be repeated.",
)
@output_option
def validate(locations: Locations, schemas: Path | None, tests: Sequence[Path], output: Format) -> None:
    """Check manifests as far as that needs neither a cluster nor an app.

    Schemas, expressions, paths and types of attributes, references, and whether a CSV document has the attributes that
    a mapping reads (a directory is not asked: usher plan does). A Secret or ConfigMap that is not among the files is a
    warning: it may be in the cluster. So is what a mapping may say and perhaps does not mean.

    Exit codes: 0 no errors; 1 errors, or a test that failed.
    """
    target = read_schemas(schemas)
    manifests = load_manifests(locations)
    if manifests.note:
        say(f"note: {manifests.note}")
    trials = Trials(manifests, target)
    checked = asyncio.run(Checks(manifests, target).run())
    _run_tests(trials, tests)
    findings = list(unique([*checked, *trials.findings]))
    if output is Format.TEXT:
        for finding in findings:
            complain(finding)
    result = _result(manifests, findings)
    if output is Format.MARKDOWN:
        result.blocks.append(_table(findings))
    if tests:
        result = Result({**result.data, "tests": data_of(trials.results)}, [*result.blocks, *blocks_of(trials.results)])
    show(result, output)
    failed = any(finding.is_error for finding in findings) or not all(trial.passed for trial in trials.results)
    click.get_current_context().exit(Exit.FAILED if failed else Exit.DONE)


def _run_tests(trials: Trials, files: Sequence[Path]) -> None:
    for file in files:
        cases = read_cases(file)
        if isinstance(cases, list):
            trials.findings.extend(cases)
        else:
            trials.run(cases)


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
