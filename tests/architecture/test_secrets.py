"""Secrets are read in one place."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2] / "operator" / "usher"
READS = re.compile(r"namespaced_secret|secret_for_all_namespaces|\"secrets\"|/secrets\b")


def test_one_module_asks_the_api_server_for_secrets_and_only_by_name() -> None:
    found = {
        str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if READS.search(path.read_text(encoding="utf-8"))
    }

    assert found == {"kube/secrets.py"}
