"""The entry point `usher`, and `python -m usher.cli.main`."""

from __future__ import annotations

import signal
import sys
import traceback
from types import TracebackType
from typing import Any, Final

import click

from usher.cli.approve import approve
from usher.cli.collector import calm_collector
from usher.cli.crds import crds
from usher.cli.eval import evaluate
from usher.cli.exits import Exit
from usher.cli.explain import explain
from usher.cli.findings import told
from usher.cli.import_entra_schema import import_entra_schema
from usher.cli.links import links
from usher.cli.logs import logs
from usher.cli.operator import operator
from usher.cli.plan import plan
from usher.cli.release import release
from usher.cli.run import restart, run, test_connection
from usher.cli.suspend import resume, suspend
from usher.cli.sync import sync
from usher.cli.terminal import fail, mute
from usher.cli.validate import validate
from usher.core.errors import UsherError

NOBODY_READS: Final = 128 + signal.SIGPIPE
"""The exit code of a program that this signal ends, as the shell tells it: `usher plan ... | head` is no error."""


class _Commands(click.Group):
    """Tells errors of ours as one line; with --debug as a traceback too."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsherError as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            fail(told(error))
            ctx.exit(Exit.FAILED)
        except BrokenPipeError:
            mute(sys.stdout)
            ctx.exit(NOBODY_READS)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 (plan) changes are pending, 4 (plan, sync) held by safety.",
)
@click.version_option(package_name="usher-provisioning", prog_name="usher")
@click.option("--debug", is_flag=True, envvar="USHER_DEBUG", help="Show tracebacks. Also: USHER_DEBUG=1.")
def usher(debug: Any) -> None:
    """Provisions people from a directory into apps.

    Without a cluster, "usher plan -f DIR" shows what would be done and "usher sync -f DIR" does it; in Kubernetes,
    "usher operator" does it all the time.
    """
    calm_collector()
    if debug:
        sys.excepthook = sys.__excepthook__


_COMMANDS: Final = (
    operator,
    plan,
    sync,
    validate,
    evaluate,
    logs,
    explain,
    links,
    run,
    restart,
    test_connection,
    suspend,
    resume,
    approve,
    release,
    import_entra_schema,
    crds,
)
for _command in _COMMANDS:
    usher.add_command(_command)


def _tell_unforeseen(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """A mistake of this program, not of its user; its text may hold anything, so only its kind is told."""
    del error
    fail(f"usher failed in a way that nobody foresaw ({kind.__name__}). With --debug it shows where; please report it")


def main() -> None:
    """Runs the command line."""
    sys.excepthook = _tell_unforeseen
    usher()


if __name__ == "__main__":
    main()
