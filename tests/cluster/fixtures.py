"""Fixtures that give tests a real API server and a namespace of their own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from cluster import programs
from cluster.lifecycle import used

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Cluster:
    """An API server, and the programs that speak to it as its administrator.

    The programs are the pinned ones, not those of the PATH. They never see the user's KUBECONFIG, and write what they
    remember (`memory`) nowhere near the user's own.
    """

    kubeconfig: Path
    memory: Path

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - the word of subprocess.run
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs kubectl; raises AssertionError with its words when it fails, unless `check` is off."""
        return self._run("kubectl", arguments, input, check=check)

    def helm(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - the word of subprocess.run
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs helm, as `kubectl` runs kubectl."""
        return self._run("helm", arguments, input, check=check)

    def with_token(self, token: str) -> Cluster:
        """The same cluster for the holder of a token, such as that of a service account, who has no other proof."""
        shown = self.kubectl("config", "view", "--raw", "--flatten", "--minify", "--output=json").stdout
        document = json.loads(shown)
        document["users"] = [{"name": user["name"], "user": {"token": token}} for user in document["users"]]
        file = self.memory / f"{uuid4().hex}.kubeconfig"
        file.touch(mode=0o600)
        file.write_text(json.dumps(document), encoding="utf-8")
        return Cluster(file, self.memory)

    def _run(
        self, program: str, arguments: tuple[str, ...], given: str | None, *, check: bool
    ) -> subprocess.CompletedProcess[str]:
        (path,) = (programs.locate(each) for each in programs.clients() if each.name == program)
        done = subprocess.run(
            [path, f"--kubeconfig={self.kubeconfig}", *arguments],
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(self.memory),
                "KUBERC": "off",
                **{
                    f"HELM_{kind}_HOME": str(self.memory / f"helm-{kind.lower()}")
                    for kind in ("CACHE", "CONFIG", "DATA")
                },
            },
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        words = " ".join(each for each in arguments if not each.startswith("-"))  # options may hold tokens
        assert not check or done.returncode == 0, f"{program} {words}: {done.stderr}"
        return done


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace that one test has for itself."""

    name: str
    cluster: Cluster

    @property
    def kubeconfig(self) -> Path:
        """The administrator's; its current namespace is `default`, not this one."""
        return self.cluster.kubeconfig

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - the word of subprocess.run
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs kubectl in this namespace; raises AssertionError with its words when it fails, unless `check` is off."""
        return self.cluster.kubectl(f"--namespace={self.name}", *arguments, input=input, check=check)

    def helm(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - the word of subprocess.run
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs helm in this namespace, as `kubectl` runs kubectl."""
        return self.cluster.helm(f"--namespace={self.name}", *arguments, input=input, check=check)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster "test", or the one of USHER_TEST_KUBECONFIG.

    Sessions that run at the same time share it, and the last one ends it, unless it was up before the first one
    (`python tests/cluster/cluster.py up --name test`).
    """
    memory = tmp_path_factory.mktemp("cluster")
    existing = os.environ.get("USHER_TEST_KUBECONFIG")
    if existing:
        yield Cluster(Path(existing), memory)
        return
    with used("test") as kubeconfig:
        yield Cluster(kubeconfig, memory)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A fresh namespace; deleted afterwards, without waiting until it is gone."""
    name = f"test-{uuid4().hex[:12]}"
    cluster.kubectl("create", "namespace", name)
    yield Namespace(name, cluster)
    cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="session")
def crds(cluster: Cluster) -> tuple[str, ...]:
    """The names of our custom resource definitions, which the API server has and serves."""
    return install_crds(cluster)


def install_crds(cluster: Cluster) -> tuple[str, ...]:
    """Makes them and waits until they are served; their names."""
    folder = f"--filename={ROOT / 'crds'}"
    cluster.kubectl("apply", folder)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", folder)
    return tuple(cluster.kubectl("get", "--output=name", folder).stdout.split())
