"""Options of the operator about its read API."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from usher.cli.addresses import Address
from usher.cli.options import Command


@dataclass(frozen=True, slots=True)
class ReadApi:
    """How it is wanted. `notice` is namespace and name of a ConfigMap."""

    address: tuple[str, int]
    notice: tuple[str, str]
    pod: str
    certificate: Path | None


class _Notice(click.ParamType[tuple[str, str]]):
    """NAMESPACE/NAME."""

    name = "object"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Fails with what is wanted."""
        namespace, _, name = str(value).partition("/")
        if not namespace or not name or "/" in name:
            self.fail("must be NAMESPACE/NAME", param, ctx)
        return namespace, name


def read_api_options(command: Command) -> Command:
    """All of them, as `read_api`; None where none is wanted."""

    @click.option(
        "--read-api",
        "address",
        metavar="ADDRESS:PORT",
        type=Address(),
        help="Serve the read API there, which usher logs and others ask. Needs --read-api-notice and --pod.",
    )
    @click.option(
        "--read-api-notice",
        "notice",
        metavar="NAMESPACE/NAME",
        type=_Notice(),
        help="The ConfigMap that tells how the read API is reached. Its certificate is for NAME.NAMESPACE.svc.",
    )
    @click.option(
        "--read-api-certificate",
        "certificate",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="tls.crt, tls.key and, unless the former is trusted itself, ca.crt. Default: one is made at each start.",
    )
    @click.option("--pod", metavar="NAME", envvar="POD_NAME", help="The Pod that this runs in. Also: POD_NAME.")
    @wraps(command)
    def gathered(
        address: tuple[str, int] | None,
        notice: tuple[str, str] | None,
        pod: str | None,
        certificate: Path | None,
        **others: Any,
    ) -> None:
        read_api = None
        if address is not None:
            if notice is None or not pod:
                raise click.UsageError("--read-api needs --read-api-notice and --pod: by them it is reached")
            read_api = ReadApi(address, notice, pod, certificate)
        elif notice is not None or certificate is not None:
            raise click.UsageError("--read-api-notice and --read-api-certificate need --read-api")
        command(read_api=read_api, **others)

    return gathered
