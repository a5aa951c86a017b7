"""What stands on the stage: an app, and the operator with no more rights than its chart gives it."""

from __future__ import annotations

import json
import secrets
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import yaml

from demo.app import App
from demo.programs import Program, ProgramEnded
from demo.shell import Shell
from demo.terminal import Terminal

OPERATOR_NAMESPACE: Final = "usher-system"
NAMESPACE: Final = "identity"
RIGHTS: Final = ("templates/serviceaccount.yaml", "templates/rbac.yaml")
"""What the demo takes of the chart: there is no node on which its Deployment could run."""
START_TIMEOUT: Final = 30.0
"""Seconds that a program has from its start to its first answer."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Starts what the story needs. Everything that it writes is in `folder`."""

    folder: Path
    shell: Shell
    terminal: Terminal

    def start_app(self) -> App:
        """scim2-server without accounts, on a free port of 127.0.0.1, with a new token."""
        port, token = _free_port(), secrets.token_hex(16)
        program = Program(self.folder, "app")
        server = Path(sys.executable).with_name("scim2-server")
        program.start([server, "--port", str(port), "--bearer-token", token], self.shell.root)
        _await_answer(program, f"http://127.0.0.1:{port}/v2/ServiceProviderConfig")
        return App(f"http://127.0.0.1:{port}/v2", token, program.log)

    def install(self) -> str:
        """The definitions, and the chart's service account with its rights; gives the name of the account."""
        self.shell.show("kubectl", "apply", "--server-side", "-f", "crds")
        self.shell.show("kubectl", "create", "namespace", OPERATOR_NAMESPACE)
        version = json.loads(self.shell.run("kubectl", "version", "--output", "json"))["serverVersion"]["gitVersion"]
        chart = ["helm", "template", "usher", "charts/usher", "--namespace", OPERATOR_NAMESPACE]
        chart += ["--kube-version", version]
        for template in RIGHTS:
            chart += ["--show-only", template]
        rendered = self.shell.run(*chart)
        self.terminal.command([*chart, "|", "kubectl", "apply", "-f", "-"])
        self.terminal.output(self.shell.run("kubectl", "apply", "-f", "-", given=rendered))
        accounts = [found for found in yaml.safe_load_all(rendered) if found["kind"] == "ServiceAccount"]
        return str(accounts[0]["metadata"]["name"])

    def start_operator(self, account: str) -> Program:
        """`usher operator` with the rights of that service account, allowed to reach both ends on 127.0.0.1."""
        self._write_kubeconfig(account)
        address = f"127.0.0.1:{_free_port()}"
        folder = self.folder.relative_to(self.shell.root)
        options = ("--kubeconfig", f"{folder}/operator.kubeconfig", "--state", f"{folder}/state.db")
        command = ("operator", "--all-namespaces", *options, "--allow-cidr", "127.0.0.0/8", "--listen", address)
        self.terminal.command(("usher", *command, "&"))
        program = Program(self.folder, "operator")
        program.start([Path(sys.executable).with_name("usher"), *command], self.shell.root)
        _await_answer(program, f"http://{address}/readyz")
        return program

    def _write_kubeconfig(self, account: str) -> None:
        """A kubeconfig with nothing but a token of the service account; JSON is YAML."""
        token = self.shell.run("kubectl", "create", "token", account, "--namespace", OPERATOR_NAMESPACE)
        config = json.loads(self.shell.run("kubectl", "config", "view", "--raw", "--minify", "--output", "json"))
        config["users"] = [{"name": account, "user": {"token": token.strip()}}]
        config["contexts"][0]["context"] |= {"user": account, "namespace": OPERATOR_NAMESPACE}
        kubeconfig = self.folder / "operator.kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(json.dumps(config), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(program: Program, url: str) -> None:
    """Until the program answers well. Raises ProgramEnded when it ends, or is not well in time."""
    deadline = time.monotonic() + START_TIMEOUT
    while not _answers(url):
        program.require()
        if time.monotonic() > deadline:
            raise ProgramEnded(program)
        time.sleep(0.05)


def _answers(url: str) -> bool:
    """Whether somebody answers there, be it that a token is missing."""
    try:
        return httpx.get(url, trust_env=False, timeout=2).status_code < 500
    except httpx.TransportError:
        return False
