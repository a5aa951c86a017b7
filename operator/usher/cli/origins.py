"""Where what a command shows comes from: a state file beside manifests, or the operator of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final, Protocol

import click
from click.core import ParameterSource

from usher.answers.explaining import Told
from usher.answers.links import LinkPage, OrphansFound
from usher.answers.log import LogPage
from usher.answers.plans import PlanPage
from usher.cli.documents import Locations
from usher.cli.options import RECURSIVE_OPTION, STATE_OPTION, Command, cluster_options, filename_option
from usher.cli.remote import ClusterOrigin
from usher.cli.stored import FileOrigin
from usher.cli.workspace import Workspace
from usher.contracts.log import LogQuery

_OF_A_CLUSTER: Final = ("kubeconfig", "context", "namespace", "read_api", "service_account")
_NOTICE: Final = "usher-system/usher-read-api"


class Origin(Protocol):
    """What can be asked of either."""

    def log(self, name: str, query: LogQuery, limit: int) -> LogPage:
        """The newest lines of the log. Raises UsherError, as all of them."""

    def links(self, name: str, limit: int) -> LinkPage:
        """The first links, without a mark of the next ones."""

    def orphans(self, name: str) -> OrphansFound:
        """What the last full comparison found."""

    def explain(self, name: str, word: str, lines: int) -> Told:
        """How it stands with whom the word means, with so many lines of the log; or whom it may mean."""

    def plan(self, name: str, take: Callable[[PlanPage], None]) -> None:
        """Gives all of what is held, or planned and not applied, page by page; one page at the least."""


def demand_files(origin: Origin, why: str) -> Workspace:
    """The files of an origin that has some. Raises UsageError that says why they are needed."""
    if isinstance(origin, FileOrigin):
        return origin.workspace
    raise click.UsageError(why)


def origin_options(command: Command) -> Command:
    """`-f` with `-R` and `--state`, or how to reach a cluster and its operator, as `origin`."""

    @filename_option()
    @RECURSIVE_OPTION
    @STATE_OPTION
    @cluster_options
    @click.option(
        "--read-api",
        metavar="NAMESPACE/NAME",
        default=_NOTICE,
        show_default=True,
        envvar="USHER_READ_API",
        help="The ConfigMap that tells how the operator is reached. Also: USHER_READ_API.",
    )
    @click.option(
        "--as-service-account",
        "service_account",
        metavar="[NAMESPACE/]NAME",
        help="Ask with a token of this account, made for it: for kubeconfigs without a token.",
    )
    @wraps(command)
    def gathered(paths: tuple[Path, ...], recursive: Any, state: Path | None, **others: Any) -> None:
        cluster = {name: others.pop(name) for name in _OF_A_CLUSTER}
        origin: Origin
        if paths:
            _refuse_any(_OF_A_CLUSTER, "with -f the state file is read, and no cluster asked")
            origin = FileOrigin(Workspace(Locations(paths, bool(recursive)), state))
        else:
            _refuse_any(("recursive", "state"), "it goes with -f: without, the operator of a cluster is asked")
            origin = ClusterOrigin(**cluster)
        command(origin=origin, **others)

    return gathered


def _refuse_any(names: tuple[str, ...], why: str) -> None:
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            message = f"{parameter.opts[-1]} can't be given here: {why}"
            raise click.UsageError(message)
