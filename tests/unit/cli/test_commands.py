"""Commands that need no app: help, crds, eval, operator's options, and the forms of a result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from usher.api.crds import render_crds
from usher.cli.exits import Exit, worst
from usher.cli.main import usher
from usher.cli.output import Code, Format, Heading, Paragraph, Table, show
from usher.cli.output import Result as Shown
from usher.cli.terminal import neutral

ADA = "givenName: Ada\nsurname: Lovelace\naccountEnabled: true\nnull: ~\nmails: [a@x, b@x]\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(usher, list(arguments))


@pytest.fixture
def ada(tmp_path: Path) -> str:
    file = tmp_path / "ada.yaml"
    file.write_text(ADA, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("command", sorted(usher.commands))
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"usher {command}" in result.stdout


def test_wrong_usage_ends_with_2(tmp_path: Path) -> None:
    assert run("plan").exit_code == 2
    assert run("plan", "-f", str(tmp_path / "nowhere")).exit_code == 2
    assert run("frobnicate").exit_code == 2
    assert run("approve", "deployment/x", "hash").exit_code == 2
    assert run("release", "idsrc/x").exit_code == 2


def test_the_worst_exit_code_wins() -> None:
    assert worst([]) is Exit.DONE
    assert worst([Exit.DONE, Exit.PENDING]) is Exit.PENDING
    assert worst([Exit.HELD, Exit.PENDING]) is Exit.HELD
    assert worst([Exit.HELD, Exit.FAILED, Exit.PENDING]) is Exit.FAILED


# --- crds -----------------------------------------------------------------------------------------------------------


def test_crds_are_printed_as_documents_or_written_as_files(tmp_path: Path) -> None:
    printed = run("crds")
    written = run("crds", "--output", str(tmp_path / "crds"))

    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert len(list(yaml.safe_load_all(printed.stdout))) == len(render_crds())
    assert {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "crds").iterdir()} == render_crds()


def test_a_folder_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    result = run("crds", "--output", str(tmp_path / "file" / "crds"))

    assert result.exit_code == 1
    assert "can't be written" in result.stderr


# --- eval -----------------------------------------------------------------------------------------------------------


def test_eval_shows_the_value_and_the_steps(ada: str) -> None:
    result = run("eval", 'Join(" ", ToLower([givenName]), [surname])', "--user", ada)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        'value: "ada Lovelace"',
        '  Join(" ", ToLower([givenName]), [surname]) -> "ada Lovelace"',
        '    ToLower([givenName]) -> "ada"',
        '      [givenName] -> "Ada"',
        '    [surname] -> "Lovelace"',
    ]


def test_eval_for_programs_has_value_and_steps(ada: str) -> None:
    result = run("eval", "ToLower([givenName])", "--user", ada, "-o", "json")

    assert json.loads(result.stdout) == {
        "value": "ada",
        "steps": [
            {
                "text": "ToLower([givenName])",
                "value": "ada",
                "steps": [{"text": "[givenName]", "value": "Ada", "steps": []}],
            }
        ],
    }


def test_eval_takes_somebody_who_is_active_where_the_file_does_not_say(ada: str) -> None:
    result = run("eval", 'Switch([IsSoftDeleted], , "False", "True", "True", "False")', "--user", ada)

    assert result.stdout.splitlines()[0] == 'value: "True"'


def test_eval_points_at_a_syntax_error(ada: str) -> None:
    result = run("eval", 'Join(" ", [givenName]', "--user", ada)

    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert "line 1, column" in lines[0]
    assert lines[1] == '  Join(" ", [givenName]'
    assert lines[2].strip() == "^"


def test_eval_notes_an_attribute_that_the_file_does_not_have(ada: str) -> None:
    result = run("eval", "ToLower([nickName])", "--user", ada)

    assert result.exit_code == 0
    assert "no attribute nickName" in result.stderr


def test_eval_of_a_value_that_does_not_fit_tells_the_step(ada: str) -> None:
    result = run("eval", "Not([givenName])", "--user", ada, "-o", "json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["value"] is None
    assert json.loads(result.stdout)["error"] in result.stderr


def test_eval_shows_every_candidate_of_a_value_that_nobody_may_have(ada: str) -> None:
    expression = 'SelectUniqueValue([givenName], Join(".", [givenName], [surname]))'

    told = run("eval", expression, "--user", ada)
    data = json.loads(run("eval", expression, "--user", ada, "-o", "json").stdout)
    broken = run("eval", "SelectUniqueValue([givenName], Not([surname]))", "--user", ada)

    assert told.stdout.splitlines()[-3:] == [
        "the app gets the first of these that nobody there has:",
        '  1. "Ada"',
        '  2. "Ada.Lovelace"',
    ]
    assert data["candidates"] == ["Ada", "Ada.Lovelace"]
    assert broken.exit_code == 1
    assert "neither True nor False" in broken.stderr


def test_eval_lends_a_domain_and_a_time(ada: str) -> None:
    domain = run("eval", 'Join("@", [givenName], DefaultDomain())', "--user", ada, "--default-domain", "example.com")
    time = run("eval", "Now()", "--user", ada, "--now", "2026-02-01T01:00:00+01:00")

    assert domain.stdout.splitlines()[0] == 'value: "Ada@example.com"'
    assert time.stdout.splitlines()[0] == 'value: "2/1/2026 12:00:00 AM"'


def test_eval_refuses_a_time_that_is_none(ada: str) -> None:
    for wrong in ("yesterday", "2026-01-01T00:00:00"):
        result = run("eval", "ToLower([givenName])", "--user", ada, "--now", wrong)

        assert result.exit_code == 2
        assert "a time with its zone" in result.stderr


@pytest.mark.parametrize("text", ["- 1", "a: {b: 1}", "a: 2024-01-01", "a: 1\n---\nb: 2", "a: [[1]]", "{"])
def test_eval_refuses_what_is_no_person(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")

    result = run("eval", "ToLower([a])", "--user", str(file))

    assert result.exit_code == 1
    assert "is no person" in result.stderr


# --- operator -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-A", "-n", "x"],
        ["-A", "--listen", "8080"],
        ["-A", "--listen", "somewhere:8080"],
        ["-A", "--listen", "0.0.0.0:99999"],
        ["-A", "--allow-cidr", "10.0.0.1/8"],
        ["-A", "--kubeconfig", "/nowhere/config"],
    ],
)
def test_the_operator_refuses_options_that_can_not_be_meant(arguments: list[str]) -> None:
    assert run("operator", *arguments).exit_code == 2


# --- forms ----------------------------------------------------------------------------------------------------------

STEERING = "\x1b[2J\x9b1m\u202e\u2066\x07\r\ud800\U000e0041"


def everything() -> Shown:
    return Shown(
        {"name": STEERING, "n": 1},
        [
            Heading(f"a {STEERING}"),
            Paragraph([f"*b* {STEERING}"]),
            Code([f"+ `c` {STEERING}", "``` d"]),
            Table(("x",), [(f"<b>|{STEERING}\n",)]),
        ],
    )


@pytest.mark.parametrize("form", Format)
def test_nothing_in_a_result_steers_the_terminal(form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    show(everything(), form)

    printed = capsys.readouterr().out
    assert printed == neutral(printed)
    assert "\r" not in printed


@pytest.mark.parametrize("form", [Format.JSON, Format.YAML])
def test_escaped_text_reads_back_as_it_was(form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    value = "\x1b\x9b\u202e\U000e0041 ä"
    show(Shown({"name": value}), form)

    read = json.loads if form is Format.JSON else yaml.safe_load
    assert read(capsys.readouterr().out) == {"name": value}


def test_foreign_text_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show(everything(), Format.MARKDOWN)

    printed = capsys.readouterr().out
    assert "\\*b\\*" in printed
    assert "\\<b\\>\\|" in printed
    assert "````diff" in printed


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("explain", "people", ""), "USER: is empty"),
        (("logs", "people", "--before", "9" * 23), "--before"),
        (("explain", "people", "x" * 1025), "user: String should have at most 1024 characters"),
        (("logs", "people", "--cycle", "x" * 201), "cycle: String should have at most 200 characters"),
    ],
)
def test_what_no_operator_would_take_is_refused_before_one_is_looked_for(
    arguments: tuple[str, ...], complaint: str
) -> None:
    result = CliRunner().invoke(usher, arguments)
    assert (result.exit_code, complaint in result.stderr) == (2, True)
