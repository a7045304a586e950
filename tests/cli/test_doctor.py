from __future__ import annotations

import io
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from proxy.cli.findings import Printer, code
from proxy.cli.main import commands
from proxy.doctor.finding import Finding, Kind, bad, good, note
from tests.support.process import free_port

FILE = """\
listen: 127.0.0.1:18080
admin: off
credentials:
  api:
    token_url: http://127.0.0.1:{port}/token
    client_id: api-client
    client_secret: {{env: API_SECRET}}
  third: {{grant: static, token: {{env: ABSENT}}}}
routes:
  - {{path: /, upstream: "http://127.0.0.1:{port}/", credential: api}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("API_SECRET", "canary-secret\t")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "config.yaml"
    path.write_text(FILE.format(port=free_port()))
    return path


def doctor(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(commands, ["doctor", *arguments], standalone_mode=False)


def test_one_credential_is_looked_at_by_name(file: Path) -> None:
    result = doctor("api", "--config", str(file))
    assert result.return_value == 4
    assert "wrong: api: port_closed" in result.stdout
    assert "third" not in result.stdout
    assert "canary" not in result.output


def test_a_configuration_mistake_outweighs_what_is_unreachable(file: Path) -> None:
    result = doctor("--config", str(file))
    assert result.return_value == 2
    assert "wrong: api: port_closed, third: secret_missing" in result.stdout


def test_programs_get_the_same_as_json(file: Path) -> None:
    result = doctor("api", "--json", "--config", str(file))
    told = json.loads(result.stdout)
    assert (told["ok"], told["exit_code"], result.return_value) == (False, 4, 4)
    causes = [one["cause"] for one in told["findings"] if one["state"] == "bad"]
    assert causes == ["port_closed"]
    assert "canary" not in result.output


def test_a_file_that_is_wrong_is_told_with_its_lines(file: Path) -> None:
    file.write_text("credential: {}\n")
    result = doctor("--config", str(file))
    assert result.return_value == 2
    assert f"{file}:1:1: unknown key" in result.stdout.replace("\n    ", " ")


def test_a_name_that_is_not_there_is_told_with_those_that_are(file: Path) -> None:
    result = doctor("nobody", "--config", str(file))
    assert isinstance(result.exception, click.UsageError)
    assert "known: api, third" in str(result.exception)


def finding(kind: Kind | None) -> Finding:
    return good("a", "s", "t") if kind is None else bad("a", "s", kind, "c", "t")


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((), 0),
        ((None,), 0),
        ((Kind.UNREACHABLE,), 4),
        ((Kind.UNREACHABLE, Kind.REFUSED), 3),
        ((Kind.UNREACHABLE, Kind.CONFIGURATION, Kind.REFUSED), 2),
    ],
)
def test_the_exit_code_is_of_what_is_nearest(kinds: tuple[Kind | None, ...], expected: int) -> None:
    assert code([finding(kind) for kind in kinds]) == expected


class Terminal(io.TextIOWrapper):
    """A terminal that shows what its encoding can."""

    def isatty(self) -> bool:
        return True


def printed(encoding: str = "utf-8", **environ: str) -> str:
    raw = io.BytesIO()
    stream = Terminal(raw, encoding=encoding)
    printer = Printer(stream, environ)
    found = [
        good("api → x", "token", "came"),
        note("api → x", "clock", "off", "set it"),
        bad("api → x", "API", Kind.REFUSED, "no", "said no", "ask"),
    ]
    for one in found:
        printer.show(one)
    printer.conclude(found)
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_a_terminal_gets_ticks_crosses_and_colours() -> None:
    shown = printed()
    assert "\x1b[32m✓\x1b[0m token: came" in shown
    assert "\x1b[31m✗\x1b[0m API: said no" in shown


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colours_gets_none(environ: dict[str, str]) -> None:
    assert "\x1b" not in printed(**environ)


def test_where_ticks_can_not_be_shown_words_stand() -> None:
    shown = printed("ascii", NO_COLOR="1")
    assert "  ok token: came" in shown
    assert "  NO API: said no" in shown
    assert "api -> x" in shown
