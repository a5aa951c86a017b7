"""What a verb of a cluster has done, in the form that is wanted."""

from __future__ import annotations

from usher.cli.output import Format, Paragraph, Result, show


def tell_deed(subject: str, done: str, output: Format) -> None:
    """`subject` is what was changed, as `Kind/name in namespace x`, and `done` what is so now."""
    show(Result({"object": subject, "result": done}, [Paragraph([f"{subject}: {done}"])]), output)
