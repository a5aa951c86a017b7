"""An API server with its store and its controllers, as plain processes on 127.0.0.1."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Final

from cluster.certificates import Certificates
from cluster.places import ClusterError, Places, programs_folder
from cluster.processes import Process

_START_SECONDS: Final = 90.0
_STORE, _SERVER, _CONTROLLERS = NAMES = ("etcd", "kube-apiserver", "kube-controller-manager")
_SIGNS_OF_LIFE: Final = ("/readyz", "/api/v1/namespaces/default/serviceaccounts/default")
"""The server says that it is ready; the controllers have made what only they make."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Kept in the cluster's folder, so that a repaired cluster has the address that its kubeconfig names."""

    server: int
    store: int
    store_peers: int

    @classmethod
    def free(cls) -> Ports:
        with ExitStack() as stack:  # all bound at once, or the same port may come twice
            probes = [stack.enter_context(closing(socket.socket())) for _ in range(3)]
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            server, store, peers = (int(probe.getsockname()[1]) for probe in probes)
        return cls(server, store, peers)

    @classmethod
    def read(cls, places: Places) -> Ports | None:
        try:
            server, store, peers = json.loads(places.ports.read_text(encoding="utf-8"))
            return cls(server, store, peers)
        except (FileNotFoundError, ValueError):
            return None

    def write(self, places: Places) -> None:
        places.ports.write_text(json.dumps([self.server, self.store, self.store_peers]), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The three processes of one cluster."""

    places: Places

    def process(self, name: str) -> Process:
        return Process(self.places.root, name)

    @property
    def is_up(self) -> bool:
        ports = Ports.read(self.places)
        return ports is not None and all(self.process(name).runs for name in NAMES) and self._answers(ports)

    def start(self) -> None:
        """Starts what doesn't run and waits until the cluster can be used; what it stored stays.

        Raises:
            ClusterError: A process ended, or the cluster can't be used after 90 s; has the end of the log.
        """
        self.places.create()
        certificates = Certificates(self.places.certificates)
        certificates.create()
        ports = Ports.read(self.places) or Ports.free()
        ports.write(self.places)
        server = f"https://127.0.0.1:{ports.server}"
        self.places.kubeconfig.touch(mode=0o600)
        self.places.kubeconfig.write_text(certificates.kubeconfig("admin", server), encoding="utf-8")
        self._run(_STORE, self._store_arguments(ports))
        self._run(_SERVER, self._server_arguments(ports, certificates))
        self._await(ports, _SIGNS_OF_LIFE[:1], (_STORE, _SERVER))
        self._run(_CONTROLLERS, self._controllers_arguments(certificates))
        self._await(ports, _SIGNS_OF_LIFE, NAMES)

    def end(self) -> None:
        """Ends its processes, those first that would miss the others."""
        for name in reversed(NAMES):
            self.process(name).end()

    def _run(self, name: str, arguments: tuple[str, ...]) -> None:
        process = self.process(name)
        if not process.runs:
            process.start((str(programs_folder() / name), *arguments))

    def _await(self, ports: Ports, signs: tuple[str, ...], names: tuple[str, ...]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not all(self._says(ports, sign) for sign in signs):
            for process in map(self.process, names):
                if not process.runs:
                    raise ClusterError(f"{process.name} ended while it started:\n{process.last_words()}")
            if time.monotonic() > deadline:
                words = self.process(_SERVER).last_words()
                raise ClusterError(f"the API server is not ready after {_START_SECONDS:.0f} s:\n{words}")
            time.sleep(0.1)

    def _answers(self, ports: Ports) -> bool:
        return all(self._says(ports, sign) for sign in _SIGNS_OF_LIFE)

    def _says(self, ports: Ports, path: str) -> bool:
        """Whether the API server answers a request of the administrator with 200; never through a proxy."""
        certificates = Certificates(self.places.certificates)
        context = ssl.create_default_context(cafile=str(certificates.crt("ca")))
        context.load_cert_chain(certificates.crt("admin"), certificates.key("admin"))
        connection = http.client.HTTPSConnection("127.0.0.1", ports.server, timeout=5, context=context)
        with closing(connection):
            try:
                connection.request("GET", path)
                return connection.getresponse().status == http.client.OK
            except (OSError, http.client.HTTPException):
                return False

    def _store_arguments(self, ports: Ports) -> tuple[str, ...]:
        clients, peers = f"http://127.0.0.1:{ports.store}", f"http://127.0.0.1:{ports.store_peers}"
        return (
            "--name=only",
            f"--data-dir={self.places.data}",
            "--unsafe-no-fsync=true",
            "--logger=zap",
            "--log-level=warn",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=only={peers}",
        )

    def _server_arguments(self, ports: Ports, certificates: Certificates) -> tuple[str, ...]:
        return (
            f"--etcd-servers=http://127.0.0.1:{ports.store}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={ports.server}",
            "--endpoint-reconciler-type=none",  # an address on the loopback is no endpoint that it would publish
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--client-ca-file={certificates.crt('ca')}",
            f"--tls-cert-file={certificates.crt('apiserver')}",
            f"--tls-private-key-file={certificates.key('apiserver')}",
            f"--service-account-key-file={certificates.token_key}",
            f"--service-account-signing-key-file={certificates.key('sa')}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--authorization-mode=RBAC",
            "--profiling=false",
        )

    def _controllers_arguments(self, certificates: Certificates) -> tuple[str, ...]:
        return (
            # The administrator's: with an account for each controller, their tokens alone take five seconds.
            f"--kubeconfig={self.places.kubeconfig}",
            "--use-service-account-credentials=false",
            "--secure-port=0",
            "--leader-elect=false",
            f"--root-ca-file={certificates.crt('ca')}",
            f"--service-account-private-key-file={certificates.key('sa')}",
        )
