"""Where something listens."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import click


class Address(click.ParamType[tuple[str, int]]):
    """ADDRESS:PORT."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Fails with an example."""
        host, _, port = str(value).rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        try:
            ip_address(host)
            number = int(port)
        except ValueError:
            number = -1
        if not 0 <= number <= 65535:
            self.fail("must be ADDRESS:PORT, such as 0.0.0.0:8080 or [::]:8080", param, ctx)
        return host, number
