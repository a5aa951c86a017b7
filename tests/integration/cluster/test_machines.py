"""Machines with and without Docker and Go, played by folders of programs that say what they were asked."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

COMMAND = Path(__file__).parents[2] / "cluster" / "cluster.py"


@dataclass(frozen=True, slots=True)
class Machine:
    """A home and a PATH with nothing in it but what a test installs."""

    home: Path
    path: Path

    def install(self, name: str, script: str) -> None:
        file = self.path / name
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o700)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(self.home), "PATH": str(self.path), "KUBECONFIG": "/dev/null/garbage"}
        line = [sys.executable, str(COMMAND), *arguments]
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "home", tmp_path / "bin")
    for folder in (made.home, made.path):
        folder.mkdir()
    return made


def test_without_docker_and_go_it_says_what_is_missing_and_how_to_get_it(machine: Machine) -> None:
    done = machine.run("up")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "Missing: Go 1.26 or newer (https://go.dev/dl/" in done.stderr
    assert "Docker with kind (https://kind.sigs.k8s.io)" in done.stderr


def test_a_docker_whose_daemon_does_not_answer_is_none(machine: Machine) -> None:
    machine.install("docker", "exit 1")
    machine.install("kind", "exit 0")

    assert "Missing: Go" in machine.run("up").stderr


def test_where_docker_answers_kind_runs_the_cluster(machine: Machine) -> None:
    asked = machine.home / "asked"
    machine.install("docker", "exit 0")
    script = f"""
echo "$*" >> {asked}
test -z "$KUBECONFIG" || exit 9
case "$1" in
  create) echo {{}} > "$6" ; echo there > {machine.home}/there ;;
  get) test ! -f {machine.home}/there || echo usher-dev ;;
esac"""
    machine.install("kind", script)
    kubeconfig = machine.home / ".cache" / "usher-cluster" / "clusters" / "dev" / "kubeconfig"

    up, again, status, down = (machine.run(verb) for verb in ("up", "up", "status", "down"))

    named = f"--name usher-dev --kubeconfig {kubeconfig}"
    assert up.stderr == again.stderr == ""
    assert up.stdout == again.stdout == f"KUBECONFIG={kubeconfig}\n"
    assert status.stdout == f"up\nKUBECONFIG={kubeconfig}\n"
    assert down.returncode == 0
    changes = [line for line in asked.read_text(encoding="utf-8").splitlines() if line != "get clusters"]
    assert changes == [f"delete cluster {named}", f"create cluster {named} --wait 120s", f"delete cluster {named}"]
    assert not kubeconfig.parent.exists()


def test_words_of_kind_reach_the_person_when_it_fails(machine: Machine) -> None:
    machine.install("docker", "exit 0")
    machine.install("kind", "echo no room for a node >&2; exit 1")

    done = machine.run("up")

    assert done.returncode == 1
    assert "no room for a node" in done.stderr


@pytest.mark.parametrize("name", ["../demo", "", "A", "a" * 31, "a/b"])
def test_a_name_that_leads_out_of_the_folder_is_refused(machine: Machine, name: str) -> None:
    done = machine.run("down", f"--name={name}")

    assert done.returncode == 1
    assert "can't name a cluster" in done.stderr


def test_programs_are_built_once_for_each_version(machine: Machine) -> None:
    asked = machine.home / "asked"
    build = f"""
if [ "$1" = version ]; then echo go version go1.99.0; exit; fi
echo "$1" >> {asked}
if [ "$1" = install ]; then echo > "$GOBIN/helm"; else echo > "$5"; fi"""
    machine.install("go", build)

    first = machine.run("build")
    built = asked.read_text(encoding="utf-8").split()
    second = machine.run("build")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert built == ["build", "build", "build", "build", "install"]
    assert asked.read_text(encoding="utf-8").split() == built
    (machine.home / ".cache" / "usher-cluster" / "bin" / "etcd.version").write_text("v0.0.1", encoding="utf-8")
    assert "Building etcd" in machine.run("build").stderr
    assert asked.read_text(encoding="utf-8").split() == [*built, "build"]


def test_programs_go_with_a_purge_but_not_from_under_a_cluster(machine: Machine) -> None:
    cache = machine.home / ".cache" / "usher-cluster"
    (cache / "bin").mkdir(parents=True)
    (cache / "clusters" / "demo").mkdir(parents=True)

    refused = machine.run("down", "--purge")
    (cache / "clusters" / "demo").rmdir()
    purged = machine.run("down", "--purge")

    assert (refused.returncode, purged.returncode) == (1, 0)
    assert "demo" in refused.stderr
    assert not (cache / "bin").exists()
    assert [path.name for path in cache.iterdir()] == ["clusters"]
