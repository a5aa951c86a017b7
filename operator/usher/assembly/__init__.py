"""Composition root: custom resources become jobs that the engine runs.

Whatever is wrong with them is said here, by YAML path. `api` and `core` know nothing of each other; this package turns
one into the other, and names the classes that fill the engine's ports.
"""
