"""A directory, an app, a database and an API server, each behind a proxy, and operators that know only the proxies."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from cluster.fixtures import Namespace
from database.postgres import PASSWORD, Postgres
from demo.app import App
from directory.certificates import Certificates
from directory.configuration import Settings
from directory.slapd import Slapd
from machine.commit import ROOT
from outages.catalogue import End
from outages.company import Company
from outages.manifests import CONNECTOR, SOURCE, Ends, manifests
from outages.pod import Operator
from outages.toxiproxy import Proxy, Toxiproxy, free_port
from outages.watching import Watch
from outages.witness import Witness

PATIENCE: Final = 300.0
"""Seconds until everything has to be right again: several times the longest time-out of the operator."""
_START: Final = 30.0
_REMEMBERED: Final = 1000
_POLL: Final = 0.2


@dataclass(frozen=True, slots=True)
class World:
    """Everything that there is, but the operators. `app` is reached past its proxy."""

    folder: Path
    namespace: Namespace
    company: Company
    postgres: Postgres
    app: App
    proxies: Mapping[End, Proxy]
    witness: Witness
    connector: Watch
    source: Watch

    def operator(self, name: str, *options: str) -> Operator:
        """One that is not started, and that reaches everything through the proxies; see `Operator` for the options."""
        arguments = (
            f"--kubeconfig={self.folder / 'operator.kubeconfig'}",
            f"--namespace={self.namespace.name}",
            f"--state-url-file={self.folder / 'state.url'}",
            "--allow-cidr=127.0.0.0/8",
        )
        return Operator(self.folder, name, arguments, free_port(), hasty="hasty" in options)

    def ask(self, word: str) -> None:
        """Asks for a cycle now."""
        annotation = f"provisioning.usher.dev/requestedAt={word}"
        self.namespace.kubectl("annotate", "--overwrite", CONNECTOR, annotation)

    def undone(self, word: str) -> list[str]:
        """What is not as it has to be, at the app and in the status, which has to answer to this word."""
        self.witness.look()
        found, said = self.witness.undone(), self.connector.last
        if not found and not self.claims_all(said.status):
            found.append("the status does not count everybody")
        if not said.is_true("InSync"):
            found.append("InSync is not True")
        if said.status.get("lastHandledReconcileAt", "") != word:
            found.append("the cycle that was asked for has not been told")
        return found

    def claims_all(self, status: Mapping[str, object]) -> bool:
        """Whether a status tells of a cycle that knew of all that happened: the number of people says so."""
        counts = status.get("counts")
        return isinstance(counts, Mapping) and counts.get("inScope") == len(self.company.inside)

    def converge(self, word: str, operator: Operator) -> tuple[float, list[str]]:
        """Waits until nothing is undone, and starts the operator when it has ended. The seconds, and what was wrong."""
        begin = time.monotonic()
        while left := self.undone(word):
            operator.attend()
            if time.monotonic() - begin > PATIENCE:
                return PATIENCE, [f"not within {PATIENCE:.0f} s: {'; '.join(left[:3])}"]
            time.sleep(_POLL)
        return time.monotonic() - begin, self._last_look()

    def _last_look(self) -> list[str]:
        """What the app itself says, by its own API, and whether a status ever said too much."""
        total, accounts = self.app.accounts(2000)
        names = [account.user_name for account in accounts]
        found = [] if total == len(names) == len(set(names)) else [f"{total} accounts of {len(set(names))} people"]
        if set(names) != self.company.ever:
            found.append(f"accounts of others: {sorted(set(names) ^ self.company.ever)[:5]}")
        wrong = {one.user_name for one in accounts if one.active is (one.user_name in self.company.left)}
        found += [f"active is wrong of {sorted(wrong)[:5]}"] if wrong else []
        return found

    def false_claims(self, since: int) -> list[str]:
        """Statuses, from that one on, that said InSync of everything that happened before it was all done."""
        right_at = self.witness.right_at
        claims = [one for one in self.connector.said[since:] if one.is_true("InSync") and self.claims_all(one.status)]
        early = [one for one in claims if right_at is None or one.recorded < right_at]
        return [f"{len(early)} statuses said InSync=True before all was done"] if early else []


@contextmanager
def open_world(namespace: Namespace, folder: Path, count: int) -> Iterator[World]:
    """With so many people in the directory; nobody has an account, and no operator runs."""
    with ExitStack() as held:
        certificates = Certificates.issue()
        slapd = Slapd(folder / "directory", Settings(certificates=certificates, session_log=_REMEMBERED))
        held.callback(slapd.close)
        company = Company(slapd)
        company.found(count)
        slapd.start()
        postgres = held.enter_context(Postgres())
        app = held.enter_context(_running_app(folder))
        record = app.log.with_suffix(".record")
        ports = {
            End.APP: urlsplit(app.url).port or 0,
            End.DIRECTORY: urlsplit(slapd.tls_url).port or 0,
            End.DATABASE: postgres.port,
            End.CLUSTER: _port_of(namespace),
        }
        server = held.enter_context(Toxiproxy())
        proxies = {end: server.stand_before(end.name, port) for end, port in ports.items()}
        _write_ways(folder, namespace, proxies, postgres.create())
        ends = Ends(proxies[End.DIRECTORY].port, certificates.authority, proxies[End.APP].port, app.token)
        listed = {"kind": "List", "apiVersion": "v1", "items": manifests(ends)}
        namespace.kubectl("apply", "-f", "-", input=json.dumps(listed))
        connector, source = (held.enter_context(Watch(namespace, what, record)) for what in (CONNECTOR, SOURCE))
        yield World(folder, namespace, company, postgres, app, proxies, Witness(record, company), connector, source)


def _write_ways(folder: Path, namespace: Namespace, proxies: Mapping[End, Proxy], database: str) -> None:
    """The kubeconfig and the URL of the state: the API server's certificate is good for 127.0.0.1, on any port."""
    shown = namespace.cluster.kubectl("config", "view", "--raw", "--flatten", "--minify", "--output=json").stdout
    config = json.loads(shown)
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxies[End.CLUSTER].port}"
    url = f"postgresql://usher:{PASSWORD}@127.0.0.1:{proxies[End.DATABASE].port}/{database}"
    for name, text in {"operator.kubeconfig": json.dumps(config), "state.url": url}.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="utf-8")


def _port_of(namespace: Namespace) -> int:
    shown = namespace.cluster.kubectl("config", "view", "--minify", "--output=json").stdout
    address = urlsplit(json.loads(shown)["clusters"][0]["cluster"]["server"])
    assert address.hostname in ("127.0.0.1", "localhost"), "the proxy has to have the API server's name"
    return address.port or 443


@contextmanager
def _running_app(folder: Path) -> Iterator[App]:
    """scim2-server, as `server` has it."""
    port, token, log = free_port(), secrets.token_hex(16), folder / "app.log"
    program = ROOT / "tests" / "outages" / "server.py"
    command = [sys.executable, str(program), str(port), token, str(log.with_suffix(".record"))]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _await_answer(process, f"http://127.0.0.1:{port}/v2/ServiceProviderConfig")
            yield App(f"http://127.0.0.1:{port}/v2", token, log)
        finally:
            process.kill()


def _await_answer(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START
    while True:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            assert process.poll() is None, "the app ended while it started"
            assert time.monotonic() < deadline, "the app does not answer"
            time.sleep(0.05)
        else:
            return
