"""What is wrong with a database, before it is known how to tell it."""

from __future__ import annotations


class UnfitError(Exception):
    """The database can't be used as our state. The message says why, and names nobody."""
