"""Fixtures that tests of all folders may ask for, and how properties are tried."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ("cluster.fixtures", "database.fixtures", "directory.fixtures")

# No test is timed: how long one example takes says who else is on the machine.
# A failure ends with the line that repeats it.
settings.register_profile("untimed", deadline=None, print_blob=True)
settings.load_profile("untimed")
