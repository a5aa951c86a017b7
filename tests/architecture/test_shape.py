"""The shape of the code: sizes that a reader can hold in the head, and no check silenced without a reason."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "usher"
MIGRATIONS = PACKAGE / "state" / "migrations" / "versions"
"""Written by a tool from the tables, and left as they are from then on."""
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != MIGRATIONS)
EVERY_MODULE = sorted([*MODULES, *(ROOT / "tests").rglob("*.py")])
SILENCER = re.compile(
    r"#\s*(?:noqa|type:\s*ignore|pragma:\s*no cover)(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[\w,\s-]+\])?(?P<rest>.*)$"
)
SKIP = re.compile(r"pytest\.(?:mark\.(?:skip|xfail)|skip|xfail)\b")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base"}


def too_long(path: Path) -> list[str]:
    """Functions of more than 40 lines, docstring and signature not counted."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1
            if lines > 40:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {lines} lines")
    return found


def unreasoned(path: Path) -> list[str]:
    """Silenced checks without a reason beside them."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = SILENCER.search(line)
        silenced = match is not None and len(match["rest"].strip(" -#()")) < 10
        skipped = SKIP.search(line) is not None and "reason=" not in line and not re.search(r"skip\(.{10,}\)", line)
        if silenced or skipped:
            found.append(f"{path.relative_to(ROOT)}:{number} {line.strip()}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_has_at_most_300_lines_and_its_functions_at_most_40(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    assert too_long(path) == []


def test_no_check_is_silenced_without_a_reason() -> None:
    this = Path(__file__)
    assert [finding for path in EVERY_MODULE if path != this for finding in unreasoned(path)] == []


def test_no_module_is_named_after_nothing() -> None:
    assert [path for path in MODULES if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES] == []


def test_the_source_root_is_no_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_a_silencer_without_a_reason_is_found(tmp_path: Path) -> None:
    planted = ROOT / "build"
    planted.mkdir(exist_ok=True)
    module = planted / "planted.py"
    module.write_text("x = 1  # noqa: E501\ny = 2  # noqa: E501 - a table reads better in one line\n", encoding="utf-8")
    try:
        assert len(unreasoned(module)) == 1
    finally:
        module.unlink()
