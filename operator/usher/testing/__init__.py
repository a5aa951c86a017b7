"""Doubles, faults and contract suites: real implementations, for this project's tests and for authors of connectors."""
