"""`make fuzz`: looks for an input that breaks the mapping language, a while for each claim of `fuzz.claims`.

python tests/fuzz/run.py [--seconds N] [--only NAME]...

  parser      any bytes are an expression or an error with a position, and give a person a value or an error (atheris)
  importer    any bytes are an exported schema that becomes manifests, or are refused (atheris)
  evaluator   any call of any functions gives anybody a value or an error (hypothesis)
  formats     any date format is refused, or writes and reads (hypothesis)
  patterns    any regular expression is refused, or rewrites any text (hypothesis)

What atheris has learnt stays in build/fuzz/corpus, what it found in build/fuzz/found, and
`python -m fuzz.guided parser FILE` repeats it. Whatever is found is fixed, and becomes a vector of
tests/unit/expressions/vectors.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])  # its packages go by the names `fuzz` and `unit`

from usher.core.expressions.functions import FUNCTIONS

ROOT: Final = Path(__file__).parents[2]
VECTORS: Final = ROOT / "tests" / "unit" / "expressions" / "vectors"
EXPORTS: Final = ROOT / "tests" / "golden" / "entra"
BUILD: Final = ROOT / "build" / "fuzz"
GUIDED: Final = ("parser", "importer")
UNGUIDED: Final = ("evaluator", "formats", "patterns")
LONGEST: Final = 11_000
"""Bytes of an input: an expression has 10,000 characters at most."""
HANGS: Final = 20
"""Seconds after which one input is said to hang; a busy machine takes some."""
SIGNS: Final = (
    "(", ")", ",", "[", "]", '"', "\\\\", '\\"', '""', '", "', "=", "<>", ">", ">=", "<", "<=", "&H", "&HF7", "-1",
    "1.5", "[a]", "[b]", "[c]", "vbTextCompare", "vbBinaryCompare", "yyyy-MM-dd", "(?<n>", "${n}", "ww",
)  # fmt: skip


def seeds(name: str) -> Iterator[bytes]:
    """What chance begins with."""
    if name == "importer":
        yield from (path.read_bytes() for path in sorted(EXPORTS.glob("*.json")))
        return
    for path in sorted(VECTORS.glob("*.py")):
        tables = getattr(import_module(f"unit.expressions.vectors.{path.stem}"), "VECTORS", {})
        yield from (vector.expression.encode("utf-8", "surrogatepass") for own in tables.values() for vector in own)


def words(name: str) -> Iterator[str]:
    """What is put together with them: the signs of the grammar and the functions, or the names in an export."""
    yield from SIGNS
    yield from (f"{function}(" for function in FUNCTIONS)
    if name == "importer":
        found = {word for seed in seeds(name) for word in seed.decode().split('"')[1::2]}
        yield from (f'"{word}"' for word in sorted(found) if word.isidentifier())


def dictionary(of: Iterable[str]) -> str:
    """The words as libFuzzer reads them: one a line, in quotes, each byte in hexadecimal digits."""
    return "".join('"' + "".join(f"\\x{byte:02X}" for byte in word.encode()) + '"\n' for word in of)


def prepare(name: str) -> list[str]:
    """Writes seeds and dictionary; the arguments of libFuzzer."""
    corpus, begun, found = (BUILD / kind / name for kind in ("corpus", "seeds", "found"))
    for folder in (corpus, begun, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (begun / f"{number:04}").write_bytes(seed)
    (BUILD / f"{name}.dict").write_text(dictionary(words(name)), encoding="ascii")
    longest = LONGEST if name == "parser" else 10 * LONGEST
    flags = [f"-dict={BUILD / name}.dict", f"-max_len={longest}", f"-timeout={HANGS}", f"-artifact_prefix={found}/"]
    return [*map(str, (corpus, begun)), *flags]


def command(name: str, seconds: int) -> list[str]:
    """What looks for so many seconds."""
    if name in GUIDED:
        return [sys.executable, "-m", "fuzz.guided", name, *prepare(name), f"-max_total_time={seconds}"]
    return [sys.executable, "-m", "fuzz.unguided", name, str(seconds)]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 where something was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Looks for an input that breaks a claim.")
    parser.add_argument("--seconds", type=int, default=60, help="for each claim; 60")
    parser.add_argument("--only", action="append", choices=(*GUIDED, *UNGUIDED), metavar="NAME")
    chosen = parser.parse_args(arguments)
    paths = [str(ROOT / "operator"), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    broken = []
    for name in chosen.only or (*GUIDED, *UNGUIDED):
        begin = time.monotonic()
        done = subprocess.run(
            command(name, chosen.seconds), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        said = (done.stdout + done.stderr).strip()
        _say(f"{name}: {said.splitlines()[-1] if said else 'nothing was said'} ({time.monotonic() - begin:.0f} s)")
        if done.returncode != 0:
            broken.append(name)
            _say(said[-5000:])
    _say(f"broken: {', '.join(broken)}" if broken else "nothing was found")
    return 1 if broken else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
