"""Packages from npm: installed once for each state of the lock, by one process, whole or not at all."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from apps import npm

SCIMMY: Final = Path(__file__).parents[2] / "apps" / "scimmy"
RECORDING: Final = """\
#!/bin/sh
echo "$@" >> {calls}
mkdir node_modules
sleep 0.2
cp package-lock.json node_modules/
"""
FAILING: Final = """\
#!/bin/sh
mkdir node_modules
echo 'npm ERR! network' >&2
exit 1
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One line for each run of an npm that is the only one in the PATH; the home folder is an empty one."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    calls = tmp_path / "calls"
    calls.touch()
    put_npm(tmp_path, RECORDING.format(calls=calls))
    return calls


def put_npm(tmp_path: Path, text: str) -> None:
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir(exist_ok=True)
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "package.json").write_text("{}", encoding="utf-8")
    (folder / "package-lock.json").write_text('{"lock": 1}', encoding="utf-8")
    return folder


def test_what_the_lock_names_is_installed_once_and_again_when_it_names_something_else(app: Path, calls: Path) -> None:
    first = npm.install(app)
    again = npm.install(app)
    (app / "package-lock.json").write_text('{"lock": 2}', encoding="utf-8")
    other = npm.install(app)

    assert first == again
    assert (first / "package-lock.json").read_text() == '{"lock": 1}'
    assert (other / "package-lock.json").read_text() == '{"lock": 2}'
    assert [line.split()[0] for line in calls.read_text().splitlines()] == ["ci", "ci"]


def test_two_at_once_install_once_and_both_get_it_whole(app: Path, calls: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        places = list(both.map(npm.install, [app, app]))

    assert len(calls.read_text().splitlines()) == 1
    assert all((place / "package-lock.json").exists() for place in places)


def test_an_installation_that_breaks_off_leaves_nothing_and_is_told_with_the_words_of_npm(
    app: Path, calls: Path, tmp_path: Path
) -> None:
    put_npm(tmp_path, FAILING)

    with pytest.raises(
        npm.NpmError, match=r"npm can't install what .*/app/package-lock\.json names:\nnpm ERR! network"
    ):
        npm.install(app)
    put_npm(tmp_path, RECORDING.format(calls=calls))

    assert (npm.install(app) / "package-lock.json").exists()


def test_a_machine_without_npm_is_told_what_installs_it(
    app: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(app))

    with pytest.raises(npm.NpmError, match=r"npm is missing; tests/machine/packages\.sh node installs it"):
        npm.install(app)


def test_the_lock_pins_every_package_by_its_digest_and_names_no_address() -> None:
    text = (SCIMMY / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    wanted = packages.pop("")["dependencies"]

    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert "resolved" not in text
    assert "://" not in text
