from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from proxy.cli.main import commands
from proxy.cli.verdict import Verdict
from proxy.errors import Failure, Problem, TokenRequestError
from proxy.runtime.outcome import Failed, Obtained, Unasked

GOOD = """\
credentials:
  api:
    token_url: https://provider.example.com/token
    client_id: api-client
    client_secret: {env: API_SECRET}
routes:
  - {path: /, upstream: "https://api.example.com/", credential: api}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("API_SECRET", "canary")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "token-sidecar.yaml"
    path.write_text(GOOD)
    return path


def check(*arguments: str) -> click.testing.Result:
    return CliRunner().invoke(commands, ["check", *arguments], standalone_mode=False)


def test_a_good_file_is_found_and_counted(file: Path) -> None:
    result = check()
    assert result.return_value == 0
    assert result.stdout == f"{file.name}: right; credentials: 1, routes: 1\n"
    assert result.stderr == ""


def test_every_mistake_beside_the_file_is_told_with_its_place(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("API_SECRET")
    file.write_text(
        GOOD.replace("credentials:", "clients: {me: {key: {file: absent}}}\ncredentials:")
    )
    result = check("--config", file.name)
    assert result.return_value == 2
    assert result.stdout == ""
    first, second = sorted(result.stderr.splitlines())
    assert first.startswith(f"{file.name}:1:")
    assert "does not exist" in first
    assert second.startswith(f"{file.name}:6:")
    assert "API_SECRET is not set" in second


def test_a_warning_does_not_fail_the_check(file: Path) -> None:
    file.write_text(GOOD.replace("{env: API_SECRET}", "canary"))
    result = check()
    assert result.return_value == 0
    assert f"{file.name}:5:" in result.stderr
    assert "warning: " in result.stderr
    assert "canary" not in result.stderr


def test_json_says_the_same_for_programs(file: Path) -> None:
    file.write_text(GOOD.replace("path: /,", "path: 7,"))
    result = check("--json")
    assert result.return_value == 2
    said = json.loads(result.stdout)
    assert said["ok"] is False
    (problem,) = said["problems"]
    assert (problem["file"], problem["line"]) == (file.name, 7)


def failed(name: str, failure: Failure) -> Failed:
    return Failed(name, TokenRequestError("why", failure=failure, reason="reason"))


def test_a_refusal_outweighs_a_provider_that_is_unreachable() -> None:
    verdict = Verdict("c.yaml").asked(
        [failed("a", Failure.TRANSIENT), failed("b", Failure.TERMINAL)]
    )
    assert verdict.code == 3
    assert list(verdict.complaints()) == ["a: unreachable: why", "b: refused: why"]
    assert Verdict("c.yaml").asked([failed("a", Failure.TRANSIENT)]).code == 4


def test_a_store_that_can_not_be_read_is_no_provider_that_is_unreachable() -> None:
    error = TokenRequestError("another key", failure=Failure.TRANSIENT, reason="store")
    verdict = Verdict("c.yaml").asked([Failed("a", error)])
    assert list(verdict.complaints()) == ["a: unreadable: another key"]


def test_a_token_is_described_with_what_is_known_of_it() -> None:
    bare = Obtained("a", "token", None, None, None, None, ())
    full = Obtained("b", "id_token", 59.7, "https://i", "x, y", "me", ("odd",))
    verdict = Verdict("c.yaml").asked([bare, full])
    assert list(verdict.praise()) == [
        "a: token, does not expire",
        "b: id_token, 60 s, issuer https://i, audience x, y, subject me",
    ]
    assert list(verdict.complaints()) == ["b: warning: odd"]
    assert json.loads(verdict.as_json())["credentials"]["b"]["lifetime"] == 59.7


def test_a_login_that_is_yet_to_be_made_is_no_mistake() -> None:
    verdict = Verdict("c.yaml").asked([Unasked("a", "login needed: run x", "login_needed")])
    assert verdict.code == 0
    assert list(verdict.complaints()) == ["a: login needed: run x"]
    said = json.loads(verdict.as_json())
    assert (said["ok"], said["credentials"]["a"]["reason"]) == (True, "login_needed")


def test_problems_alone_decide_for_2() -> None:
    verdict = Verdict("c.yaml").mistaken([Problem("c.yaml", 1, 1, "wrong")])
    assert verdict.code == 2
    assert list(verdict.praise()) == []
