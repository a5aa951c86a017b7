"""A throw-away Kubernetes API server for tests and the demo; no other cluster and no context of yours is touched.

    python tests/cluster/cluster.py up|down|status|build [--name NAME] [--purge]

It runs on kind where a Docker daemon answers and kind can be had, else as plain processes that Go builds once.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # not this folder, where this file would hide the package

from cluster import lifecycle, programs
from cluster.places import ClusterError, Places


def main() -> int:
    """Runs one command; 1 when it fails, or when `status` finds no cluster."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("up", "down", "status", "build"))
    parser.add_argument("--name", default="dev", help="clusters of different names run side by side (%(default)s)")
    parser.add_argument("--purge", action="store_true", help="down: remove the programs as well")
    options = parser.parse_args()
    try:
        return run(options.command, options.name, ("purge",) if options.purge else ())
    except ClusterError as error:
        lifecycle.say(str(error))
        return 1


def run(command: str, name: str, wishes: tuple[str, ...]) -> int:
    """Runs one command; the last line of `up` is KUBECONFIG=path."""
    match command:
        case "build":
            lifecycle.build()
        case "up":
            sys.stdout.write(f"KUBECONFIG={lifecycle.up(name)}\n")
        case "down":
            lifecycle.down(name)
            if "purge" in wishes:
                programs.purge()
        case _:
            runs = lifecycle.is_up(name)
            sys.stdout.write(f"up\nKUBECONFIG={Places(name).kubeconfig}\n" if runs else "down\n")
            return 0 if runs else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
