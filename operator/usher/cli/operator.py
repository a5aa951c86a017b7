"""`usher operator`."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import click

from usher.cli.addresses import Address
from usher.cli.read_api_options import ReadApi, read_api_options
from usher.state.places import Server

DEFAULT_STATE: Final = Path("/var/lib/usher/state.db")


def _networks(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            ip_network(value)
        except ValueError as error:
            raise click.BadParameter(f"{value} is no network, such as 10.0.0.0/8 (without host bits)") from error
    return values


@click.command(epilog="Example: usher operator --all-namespaces --kubeconfig ~/.kube/dev --state ./operator.db")
@click.option(
    "--kubeconfig",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How to reach the cluster. Default: the service account of the Pod.",
)
@click.option("-n", "--namespace", "namespaces", multiple=True, metavar="NAME", help="Watch this. Can be repeated.")
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Watch the whole cluster.")
@click.option(
    "--state",
    metavar="FILE",
    show_default=str(DEFAULT_STATE),
    type=click.Path(dir_okay=False, path_type=Path),
    help="The state file (SQLite), on a volume that outlives the Pod.",
)
@click.option(
    "--state-url-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The state is in PostgreSQL: this file holds postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
)
@click.option(
    "--state-keys",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Encrypt what the state holds of people. Each file is a key (32 bytes in base64), the last by name newest.",
)
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    default="0.0.0.0:8080",
    show_default=True,
    type=Address(),
    help="Where /healthz, /readyz and /metrics are served.",
)
@read_api_options
@click.option(
    "--allow-cidr",
    "allow_cidrs",
    multiple=True,
    metavar="NETWORK",
    callback=_networks,
    help="Let connectors reach this network, which is not public, and use http:// there. Can be repeated.",
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME",
    help="The same for one host name. Can be repeated.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="How much is logged, as one JSON object a line on stderr.",
)
@click.option(
    "--log-people",
    "log_stream",
    is_flag=True,
    help="Write each line of the provisioning log to stdout as well, as one JSON object. It names people.",
)
def operator(everywhere: Any, log_level: str, read_api: ReadApi | None, **options: Any) -> None:
    """Run the operator until SIGTERM.

    Exactly one of --all-namespaces and --namespace has to be given.
    """
    if bool(everywhere) == bool(options["namespaces"]):
        raise click.UsageError("give either --all-namespaces or --namespace (which can be repeated)")
    place = _place(options.pop("state"), options.pop("state_url_file"))
    from usher.kube.logs import set_up_logs  # noqa: PLC0415 - takes a second, which no other command waits for
    from usher.kube.operator import OperatorOptions, run_operator  # noqa: PLC0415 - the same second
    from usher.kube.readapi.names import Place  # noqa: PLC0415 - and the same
    from usher.kube.readapi.opening import ReadApiOptions  # noqa: PLC0415 - and the same

    served = None
    if read_api is not None:
        served = ReadApiOptions(read_api.address, Place(*read_api.notice), read_api.pod, read_api.certificate)
    set_up_logs(log_level)
    run_operator(OperatorOptions(place, read_api=served, **options))


def _place(state: Path | None, state_url_file: Path | None) -> Path | Server:
    if state is not None and state_url_file is not None:
        raise click.UsageError("give either --state or --state-url-file: there is one state")
    return (state or DEFAULT_STATE) if state_url_file is None else Server(state_url_file)
