"""What ends a bench without a result."""

from __future__ import annotations


class Broken(Exception):
    """A run that says nothing: something is missing, a peer failed, or the sink holds other people than it should."""
