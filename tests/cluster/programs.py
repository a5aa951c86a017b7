"""The programs of a cluster, built once by Go from pinned modules and kept by version in the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.places import ClusterError, alone, cache, programs_folder
from cluster.toolchain import find_go, toolchain_folder

_SOURCES: Final = Path(__file__).parent / "src"
_HELM: Final = "v3.22.0"
_TOXIPROXY: Final = "v2.12.0"
_KIND: Final = "v0.32.0"  # its node runs the minor version of Kubernetes that src/k8s pins
GET_GO: Final = "Go 1.26 or newer (https://go.dev/dl/, or `apt-get install golang-go` or `brew install go`)"


@dataclass(frozen=True, slots=True)
class Program:
    """How one program is made: from `package` of the module in `folder`, or installed where there is none."""

    name: str
    version: str
    package: str
    folder: Path | None
    flags: str
    asks_version: tuple[str, ...] = ("--version",)

    @property
    def path(self) -> Path:
        return programs_folder() / self.name

    @property
    def _stamp(self) -> Path:
        return programs_folder() / f"{self.name}.version"

    @property
    def is_built(self) -> bool:
        """Whether the program of this very version is there; a program without a stamp is asked for its version."""
        if not self.path.exists():
            return False
        if not self._stamp.exists():
            shown = subprocess.run([self.path, *self.asks_version], capture_output=True, text=True, check=False)
            if self.version.removeprefix("v") not in shown.stdout:
                return False
            self._stamp.write_text(self.version, encoding="utf-8")
        return self._stamp.read_text(encoding="utf-8") == self.version

    def build(self, go: str) -> None:
        """Builds it beside its place and moves it there whole; raises ClusterError with Go's words when Go fails."""
        with tempfile.TemporaryDirectory(dir=programs_folder()) as folder:
            environment = {**os.environ, "CGO_ENABLED": "0", "GOBIN": folder, "GOWORK": "off"}
            if self.folder is None:
                environment["GOFLAGS"] = "-mod=mod"
                command = [go, "install", "-ldflags", self.flags, f"{self.package}@{self.version}"]
            else:
                command = [go, "build", "-ldflags", self.flags, "-o", f"{folder}/{self.name}", self.package]
            done = subprocess.run(
                command, cwd=self.folder or folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise ClusterError(f"Go can't build {self.name} {self.version}:\n{done.stderr.strip()[-2000:]}")
            self._stamp.unlink(missing_ok=True)
            made = self.name if self.folder is not None else self.package.rpartition("/")[2]
            (Path(folder) / made).replace(self.path)
            self._stamp.write_text(self.version, encoding="utf-8")


def control_plane() -> tuple[Program, ...]:
    """The API server, its store and its controllers."""
    return _etcd(), _kubernetes("kube-apiserver"), _kubernetes("kube-controller-manager")


def clients() -> tuple[Program, ...]:
    """What tests and people speak to a cluster with."""
    flags = f"-s -w -X helm.sh/helm/v3/internal/version.version={_HELM}"
    helm = Program("helm", _HELM, "helm.sh/helm/v3/cmd/helm", None, flags, ("version",))
    return _kubernetes("kubectl", ("version", "--client")), helm


def kind() -> Program:
    """Runs a cluster in Docker."""
    return Program("kind", _KIND, "sigs.k8s.io/kind", None, "-s -w")


def toxiproxy() -> Program:
    """Stands between two programs and spoils what they say to each other."""
    module = "github.com/Shopify/toxiproxy/v2"
    flags = f"-s -w -X {module}.Version={_TOXIPROXY.removeprefix('v')}"
    return Program("toxiproxy-server", _TOXIPROXY, f"{module}/cmd/server", None, flags)


def ensure(programs: Iterable[Program], say: Callable[[str], None]) -> None:
    """Builds those that are missing or of another version.

    Raises:
        ClusterError: Something has to be built and there is no Go, or Go fails.
    """
    folder = programs_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(cache() / "build.lock"):
        missing = [program for program in programs if not program.is_built]
        go = find_go() if missing else None
        if missing and go is None:
            names = ", ".join(program.name for program in missing)
            raise ClusterError(
                f"Missing: {GET_GO}; it builds {names}, once, into {folder}. "
                "Or Docker with kind (https://kind.sigs.k8s.io): start the Docker daemon"
            )
        for program in missing:
            say(f"Building {program.name} {program.version} (once; takes up to some minutes)")
            start = time.monotonic()
            program.build(go or "go")
            say(f"Built {program.name} in {time.monotonic() - start:.0f} s")


def can_have(program: Program) -> bool:
    """Whether it is built, can be built, or is installed on this machine."""
    return program.is_built or shutil.which("go") is not None or shutil.which(program.name) is not None


def locate(program: Program) -> Path:
    """The program of the cache; where there is neither that nor Go, the one that is installed on this machine.

    Raises:
        ClusterError: There is none.
    """
    installed = shutil.which(program.name)
    if program.is_built or shutil.which("go") is not None or installed is None:
        ensure((program,), _quiet)
        return program.path
    return Path(installed)


def purge() -> None:
    """Removes all programs; refuses while there are clusters, which would lose theirs."""
    clusters = sorted(path.name for path in (cache() / "clusters").glob("*/"))
    if clusters:
        raise ClusterError(f"The programs stay, because there are clusters that use them: {', '.join(clusters)}")
    for folder in (programs_folder(), toolchain_folder()):
        shutil.rmtree(folder, ignore_errors=True)


def _quiet(line: str) -> None:
    """For programs whose building nobody waits for with a word."""


def _etcd() -> Program:
    folder = _SOURCES / "etcd"
    return Program("etcd", _pinned(folder, "go.etcd.io/etcd/server/v3"), ".", folder, "-s -w")


def _kubernetes(name: str, asks_version: tuple[str, ...] = ("--version",)) -> Program:
    folder = _SOURCES / "k8s"
    version = _pinned(folder, "k8s.io/kubernetes")
    major, minor, _ = version.removeprefix("v").split(".", 2)
    # Without these a program built from a module calls itself v0.0.0, and clients refuse to talk to such a server.
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    values |= {"gitCommit": "gomodule", "buildDate": "2026-01-01T00:00:00Z"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    flags = " ".join(
        ["-s -w", *(f"-X {package}.{key}={value}" for package in packages for key, value in values.items())]
    )
    return Program(name, version, f"k8s.io/kubernetes/cmd/{name}", folder, flags, asks_version)


def _pinned(folder: Path, module: str) -> str:
    """The version of a module that go.mod requires."""
    for line in (folder / "go.mod").read_text(encoding="utf-8").splitlines():
        words = line.removeprefix("require ").split()
        if words[:1] == [module]:
            return words[1]
    raise ClusterError(f"{folder / 'go.mod'} does not require {module}")
