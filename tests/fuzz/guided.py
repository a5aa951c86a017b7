"""Bytes that atheris makes up, guided by which lines of the code they reach.

python -m fuzz.guided parser|importer FOLDER... [-max_total_time=60] [any flag of libFuzzer]

Runs where atheris is, which is in no environment of ours: `make fuzz` fetches it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Final

import atheris

with atheris.instrument_imports(include=["usher.core.expressions", "usher.importing"], enable_loader_override=False):
    from fuzz.claims import gives_value_or_error, is_imported_or_refused


def _parse(raw: bytes) -> None:
    gives_value_or_error(raw.decode("utf-8", "surrogateescape"), {"a": "Ada", "b": ("x", "y"), "c": 7})


CLAIMS: Final[Mapping[str, Callable[[bytes], None]]] = {"parser": _parse, "importer": is_imported_or_refused}


def main(program: str, name: str, *flags: str) -> None:
    """Never returns: libFuzzer ends the process, with another code than 0 where a claim did not hold."""
    atheris.Setup([program, *flags], CLAIMS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv)
