"""Keys of a state, as a Secret is mounted."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path


def make_keys(folder: Path, *names: str) -> Path:
    """A folder with a key of each name, and with no other: always the same key for a name."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name in names:
        (folder / name).write_bytes(b64encode(sha256(name.encode()).digest()) + b"\n")
    (folder / "..data").symlink_to(folder)
    return folder
