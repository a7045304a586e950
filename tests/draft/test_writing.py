from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.cli import main as cli
from proxy.draft.draft import Draft
from proxy.draft.text import text
from tests.draft.conftest import CANARY, Desk

CURL = f"curl https://i.example.com/token -u me:{CANARY} -d grant_type=client_credentials"
UPSTREAM = ("--upstream", "https://api.example.com/")
Ring = Callable[[], dict[tuple[str, str], str]]


def secret(desk: Desk) -> Path:
    return desk.directory / "token-sidecar.secrets" / "api.client_secret"


def test_nothing_that_is_there_is_replaced_unasked(desk: Desk) -> None:
    desk.written("token-sidecar.yaml", "mine")
    said = desk.wrong("--curl", "-", *UPSTREAM, stdin=CURL)
    assert said == (
        "token-sidecar.yaml is there already; --force replaces it, --config names another"
    )
    assert desk.text == "mine"


def test_a_link_that_leads_nowhere_is_there_too(desk: Desk) -> None:
    (desk.directory / "token-sidecar.yaml").symlink_to("nowhere")
    assert "is there already" in desk.wrong("--curl", "-", *UPSTREAM, stdin=CURL)


def test_a_secret_that_is_there_is_not_replaced_either(desk: Desk) -> None:
    secret(desk).parent.mkdir()
    secret(desk).write_text("mine")
    said = desk.wrong("--curl", "-", *UPSTREAM, stdin=CURL)
    assert "token-sidecar.secrets/api.client_secret is there already; --force replaces" in said
    assert secret(desk).read_text() == "mine"


def test_force_replaces_both(desk: Desk) -> None:
    desk.written("token-sidecar.yaml", "mine")
    secret(desk).parent.mkdir()
    secret(desk).write_text("mine")
    desk.right("--curl", "-", "--force", *UPSTREAM, stdin=CURL)
    assert secret(desk).read_text() == f"{CANARY}\n"
    assert secret(desk).stat().st_mode & 0o777 == 0o600
    assert desk.credential.client_id == "me"


def test_force_that_fails_replaces_neither(desk: Desk) -> None:
    desk.written("token-sidecar.yaml", "mine")
    secret(desk).parent.mkdir()
    secret(desk).write_text("mine")
    desk.wrong("--curl", "-", "--force", "--upstream", "http://a.example.com", stdin=CURL)
    flags = ("--set", "tls.ca_file=bad.pem")
    desk.written("bad.pem", "no certificate")
    assert "bad.pem" in desk.wrong("--curl", "-", "--force", *flags, *UPSTREAM, stdin=CURL)
    assert (secret(desk).read_text(), desk.text) == ("mine", "mine")


def test_a_wrong_draft_leaves_nothing_behind(desk: Desk) -> None:
    said = desk.wrong("--curl", "-", "--upstream", "http://api.example.com", stdin=CURL)
    assert said.startswith("token-sidecar.yaml:13:15: `upstream` sends secrets over plain http")


def test_mistakes_in_what_is_not_written_are_told_as_such(desk: Desk) -> None:
    result = desk.init("--curl", "-", "--upstream", "http://api.example.com", stdin=CURL)
    assert result.stderr == "token-sidecar.yaml is not written; in it this would be wrong:\n"
    assert result.stdout == ""


def test_the_next_step_names_the_file_where_it_is_not_found_by_itself(desk: Desk) -> None:
    usual = desk.init("--curl", "-", *UPSTREAM, stdin=CURL)
    assert usual.stdout.endswith("; next: token-sidecar check --online\n")
    other = desk.init("--curl", "-", "-c", "an other.yaml", *UPSTREAM, stdin=CURL)
    assert other.stdout.endswith("check --online --config 'an other.yaml'\n")


def test_input_without_end_is_not_taken_in_part(desk: Desk) -> None:
    said = desk.wrong("--curl", "-", *UPSTREAM, stdin=f"{CURL}\n{' ' * (1 << 20)}")
    assert said == "standard input is larger than 1 MiB: is it the right file?"


def test_a_closed_standard_input_is_an_empty_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.outcome(["init", "--curl", "-"]) == cli.outcome(["init"]) == 2
    assert not list(desk.directory.iterdir())


def test_the_keyring_may_have_the_secrets(desk: Desk, ring: Ring) -> None:
    said = desk.right("--curl", "-", "--secrets", "keyring", *UPSTREAM, stdin=CURL)
    assert said == "the keyring has the client_secret at token-sidecar/api.client_secret\n"
    assert ring() == {("token-sidecar", "api.client_secret"): CANARY}
    assert not secret(desk).exists()
    (desk.directory / "token-sidecar.yaml").unlink()
    again = ("--curl", "-", "--secrets", "keyring", *UPSTREAM)
    assert "the keyring has a password at" in desk.wrong(*again, stdin=CURL)


def test_the_keyring_is_as_before_when_the_checks_fail(desk: Desk, ring: Ring) -> None:
    desk.written("bad.pem", "no certificate")
    flags = ("--curl", "-", "--secrets", "keyring", "--set", "tls.ca_file=bad.pem", *UPSTREAM)
    assert "bad.pem" in desk.wrong(*flags, stdin=CURL)
    assert ring() == {}
    ring()["token-sidecar", "api.client_secret"] = "mine"
    assert "bad.pem" in desk.wrong(*flags, "--force", stdin=CURL)
    assert ring() == {("token-sidecar", "api.client_secret"): "mine"}


def test_the_environment_may_have_them(desk: Desk) -> None:
    said = desk.right("--curl", "-", "--secrets", "env", *UPSTREAM, stdin=CURL)
    assert said == "environment variable API_CLIENT_SECRET is not set yet: export it\n"
    assert not secret(desk).parent.exists()


def test_paths_mean_the_same_from_another_directory(desk: Desk) -> None:
    desk.written("dai.csv", "client_id,client_secret,token_url\nid,s,https://d/token\n")
    desk.right("--credentials-file", "dai.csv", "-c", "further/down/c.yaml", *UPSTREAM)
    content = (desk.directory / "further/down/c.yaml").read_text()
    assert f"credentials_file: {desk.directory / 'dai.csv'}" in content


def test_a_directory_that_can_not_be_made_is_told(desk: Desk) -> None:
    desk.written("file", "")
    said = desk.wrong("-c", "file/c.yaml", "--curl", "-", *UPSTREAM, stdin=CURL)
    assert "file/c.yaml can't be written: " in said


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
)


@settings(max_examples=60)
@given(st.dictionaries(WORDS, st.one_of(WORDS, st.lists(WORDS), st.dictionaries(WORDS, WORDS))))
def test_any_text_stands_in_the_file_as_it_is(keys: dict[str, object]) -> None:
    said = {"client_id": "x", **{key: one for key, one in keys.items() if key != "secret"}}
    whole = text("api", Draft(keys=said, upstream="https://u/"), {"secret": {"file": "a b"}})
    tree = yaml.load(whole, Loader=yaml.BaseLoader)
    assert tree["credentials"]["api"] == {**said, "secret": {"file": "a b"}}
