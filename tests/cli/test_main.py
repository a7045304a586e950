from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from proxy.cli import main as cli
from proxy.cli.failure import exit_code, explain
from proxy.errors import (
    ConfigurationError,
    CredentialRefused,
    CredentialUnavailable,
    Failure,
    Problem,
    SecretError,
    StartError,
    TokenRequestError,
)
from proxy.version import VERSION


def run(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(cli.commands, list(arguments))


@pytest.mark.parametrize("command", [(), *((name,) for name in cli.COMMANDS)])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help_with_an_example(command: tuple[str, ...], flag: str) -> None:
    result = run(*command, flag)
    assert result.exit_code == 0
    assert re.search(r"Examples?:\n +token-sidecar ", result.output)


def test_the_help_lists_every_command_with_its_first_words() -> None:
    output = run("--help").output
    for name in cli.COMMANDS:
        assert re.search(rf"^  {name} +[A-Z]", output, re.MULTILINE)


def test_the_version_is_told_in_both_ways() -> None:
    assert run("version").output.startswith(f"token-sidecar {VERSION} (Python 3.")
    assert run("--version").output == f"token-sidecar {VERSION}\n"


def test_the_schema_is_json_schema() -> None:
    schema = json.loads(run("schema").output)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "credentials" in schema["properties"]


@pytest.mark.parametrize("wrong", [["nonsense"], ["run", "--nonsense"], ["check", "too", "much"]])
def test_a_wrong_command_line_ends_with_2(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.outcome(wrong) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "Error: " in told.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError([]), 2),
        (SecretError(""), 2),
        (StartError(""), 1),
        (CredentialRefused("", credential="a", retry_after=None, error=None), 3),
        (CredentialUnavailable("", credential="a", retry_after=None), 4),
        (TokenRequestError("", failure=Failure.TERMINAL, reason=""), 3),
        (TokenRequestError("", failure=Failure.SLOW, reason=""), 3),
        (TokenRequestError("", failure=Failure.TRANSIENT, reason=""), 4),
        (TokenRequestError("", failure=Failure.RETRY_AFTER, reason=""), 4),
        (ValueError(), 1),
    ],
)
def test_each_cause_has_its_exit_code(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def said(error: Exception, environ: dict[str, str] | None = None) -> str:
    stream = io.StringIO()
    explain(error, stream, environ or {})
    return stream.getvalue()


def test_mistakes_in_the_file_are_told_one_a_line() -> None:
    problems = [Problem("c.yaml", 1, 2, "wrong"), Problem("c.yaml", 3, 4, "also")]
    assert said(ConfigurationError(problems)) == "c.yaml:1:2: wrong\nc.yaml:3:4: also\n"


def test_a_bug_is_told_by_its_class_alone() -> None:
    assert said(ValueError("canary")) == "token-sidecar: unexpected ValueError; this is a bug\n"
    assert "canary" in said(ValueError("canary"), {"TOKEN_SIDECAR_DEBUG": "1"})


def test_ctrl_c_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.commands, "main", interrupted)
    assert cli.outcome(["check"]) == 130
    assert capsys.readouterr().err == ""


SCHEMA = "import sys; from proxy.cli.main import outcome; sys.exit(outcome(['schema']))"


def test_a_reader_that_has_enough_is_no_error_of_ours(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", SCHEMA],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, writing, 1),
            (os.POSIX_SPAWN_OPEN, 2, str(tmp_path / "err"), os.O_WRONLY | os.O_CREAT, 0o600),
        ],
    )
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert (tmp_path / "err").read_text() == ""


def test_a_full_disk_is_told_as_what_it_is() -> None:
    with Path("/dev/full").open("w") as full:
        line = [sys.executable, "-c", SCHEMA]
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "token-sidecar: stdout can't be written: No space left on device\n"


def test_a_command_whose_output_nobody_wants_does_its_work() -> None:
    line = f'exec "{sys.executable}" -c "{SCHEMA}" >&-'
    done = subprocess.run(["/bin/sh", "-c", line], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
