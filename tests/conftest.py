"""Fixtures that tests of all folders may ask for."""

from __future__ import annotations

pytest_plugins = ("cluster.fixtures", "directory.fixtures")
