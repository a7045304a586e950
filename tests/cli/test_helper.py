"""The words of kubectl's, git's and docker's protocols, without a process."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cli import main as cli
from proxy.cli.helper import docker, git, kubectl, protocols
from proxy.cli.helper.wanted import ProtocolError, Wanted, question, server
from proxy.cli.quick import quick
from proxy.client.lent import Lent
from proxy.errors import UnlendableError
from proxy.secret import Secret

NOW = 1_700_000_000.9
V1, BETA = kubectl.VERSIONS
LENT = Lent(Secret("the-token"), "access_token", 3, False, 300.0)
ENDLESS = Lent(Secret("the-token"), "access_token", 3, False, None)
NAMES = ("kubectl", "git", "docker", "other", "api", "get", "erase", "")
OPTIONS = ("--url", "--url=https://a", "--username", "me", "--config=c", "-c", "c.yaml", "-x")
WORDS = st.sampled_from([*NAMES, *OPTIONS, "--", "--help", "--nonsense", "-"])


def told(version: str) -> str:
    return json.dumps({"kind": "ExecCredential", "apiVersion": version, "spec": {}})


@pytest.mark.parametrize(
    ("info", "version"), [(None, V1), (told(V1), V1), (told(BETA), BETA)], ids=["none", "v1", "b1"]
)
def test_kubectl_is_answered_in_the_version_that_it_speaks(info: str | None, version: str) -> None:
    said = json.loads(kubectl.credential(kubectl.spoken(info), LENT, NOW))
    assert (said["kind"], said["apiVersion"]) == ("ExecCredential", version)


@pytest.mark.parametrize(
    "info", ["", "[]", "{", "null", told("client.authentication.k8s.io/v1alpha1"), '{"a": 1}']
)
def test_what_is_no_exec_credential_or_too_old_is_told(info: str) -> None:
    with pytest.raises(ProtocolError, match=r"ExecCredential|client\.authentication"):
        kubectl.spoken(info)


def test_kubectl_asks_again_before_the_token_ends() -> None:
    status = json.loads(kubectl.credential(V1, LENT, NOW))["status"]
    assert status == {"token": "the-token", "expirationTimestamp": "2023-11-14T22:18:10Z"}
    short = Lent(Secret("the-token"), "access_token", 3, False, 20.0)
    status = json.loads(kubectl.credential(V1, short, NOW))["status"]
    assert status["expirationTimestamp"] == "2023-11-14T22:13:38Z"


def test_a_token_without_an_end_has_no_expiration() -> None:
    assert json.loads(kubectl.credential(V1, ENDLESS, NOW))["status"] == {"token": "the-token"}


def asked(**more: str) -> git.Attributes:
    return {name: [value] for name, value in {"protocol": "https", "host": "g", **more}.items()}


def test_git_is_given_a_password_with_its_end() -> None:
    said = git.answer(asked(), LENT, "oauth2", NOW)
    assert said == "username=oauth2\npassword=the-token\npassword_expiry_utc=1700000300\n"
    assert git.answer(asked(username="me"), ENDLESS, "oauth2", NOW) == (
        "username=me\npassword=the-token\n"
    )


def test_git_is_given_a_bearer_token_where_it_can_send_one_and_the_server_wants_one() -> None:
    able = asked() | {"capability[]": ["authtype", "state"]}
    basic = able | {"wwwauth[]": ['Basic realm="x"']}
    bearer = able | {"wwwauth[]": ['Basic realm="x"', "bearer realm=y"]}
    assert "password=" in git.answer(able, ENDLESS, "o", NOW)
    assert "password=" in git.answer(basic, ENDLESS, "o", NOW)
    assert git.answer(bearer, ENDLESS, "o", NOW) == (
        "capability[]=authtype\nauthtype=Bearer\ncredential=the-token\nephemeral=1\n"
    )
    assert "password=" in git.answer(asked() | {"wwwauth[]": ["Bearer"]}, ENDLESS, "o", NOW)


def test_gits_attributes_end_with_an_empty_line() -> None:
    assert git.attributes("protocol=https\nhost=g\na[]=1\na[]=x=2\n\nnonsense") == {
        "protocol": ["https"],
        "host": ["g"],
        "a[]": ["1", "x=2"],
    }
    with pytest.raises(ProtocolError):
        git.attributes("protocol\n")


@pytest.mark.parametrize(
    ("scheme", "host", "urls", "answered"),
    [
        ("https", "g.example", (), True),
        ("https", "g.example", ("https://g.example/repo",), True),
        ("https", "g.example:443", ("g.example",), True),
        ("https", "G.example", ("https://other.example", "https://g.Example"), True),
        ("https", "g.example:8443", ("https://g.example",), False),
        ("https", "g.example.evil", ("https://g.example",), False),
        ("https", "g.example@evil", ("https://g.example",), False),
        ("http", "g.example", ("http://g.example",), False),
        ("http", "127.0.0.1:80", ("http://127.0.0.1",), True),
        ("http", "localhost:3000", (), True),
        ("ssh", "g.example", (), False),
        ("", "", (), False),
    ],
)
def test_only_servers_that_may_have_the_token_are_answered(
    scheme: str, host: str, urls: tuple[str, ...], answered: bool
) -> None:
    assert git.answered({"protocol": [scheme], "host": [host]}, urls) is answered


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("registry.example", "https://registry.example", True),
        ("https://registry.example/v2/", "registry.example:443", True),
        ("registry.example:5000", "registry.example", False),
        ("http://registry.example", "registry.example", False),
        ("https://index.docker.io/v1/", "index.docker.io", True),
        ("registry.example:x", "registry.example", False),
    ],
)
def test_servers_are_the_same_by_host_and_port(one: str, other: str, same: bool) -> None:
    assert (server(one) == server(other)) is same


@pytest.mark.parametrize("said", [b"x" * (1 << 17), b"\xff"])
def test_a_question_is_short_and_text(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(said)))
    with pytest.raises(ProtocolError):
        question()


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("kubectl", "api", "get"),
        Wanted("git", "api"),
        Wanted("docker", "api"),
        Wanted("docker", "api", "version", urls=("a",)),
        Wanted("docker", "api", "get"),
    ],
)
def test_a_call_that_is_none_is_told_what_would_be(wanted: Wanted) -> None:
    with pytest.raises(ProtocolError, match=r"says after|--url"):
        protocols.serve(wanted)


def test_what_git_may_say_one_day_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"protocol=https\nhost=g\n")))
    assert protocols.serve(Wanted("git", "api", "capability")) == 0


class Sessions:
    """Lends the cookies of a session."""

    def token(self, _name: str) -> Lent:
        return Lent(Secret("a=b"), "cookie", 1, True, None)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("kubectl", "api"),
        Wanted("git", "api", "get"),
        Wanted("docker", "api", "get", urls=("g",)),
    ],
)
def test_a_session_is_no_token_for_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: Wanted
) -> None:
    said = b"g" if wanted.protocol == "docker" else b"protocol=https\nhost=g\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(said)))
    monkeypatch.setattr(Wanted, "lending", lambda _: Sessions())
    with pytest.raises(UnlendableError, match="api is a session"):
        protocols.serve(wanted)
    assert "a=b" not in capsys.readouterr().out


def test_docker_lists_what_it_may_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    urls = ("https://a.example", "https://b.example")
    assert docker.serve(Wanted("docker", "api", "list", urls=urls)) == 0
    assert json.loads(capsys.readouterr().out) == dict.fromkeys(urls, "oauth2")


def test_what_costs_time_is_not_imported() -> None:
    script = (
        "import sys, proxy.__main__, proxy.cli.quick, proxy.cli.helper.protocols,"
        " proxy.cli.helper.kubectl, proxy.cli.helper.git, proxy.cli.helper.docker;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    dear = {"asyncio", "click", "pydantic", "yaml", "aiohttp", "rich", "logging", "traceback"}
    assert dear & set(told) == set()


@given(words=st.lists(WORDS, max_size=6))
def test_whatever_is_read_by_hand_is_what_the_whole_program_reads(words: list[str]) -> None:
    calls: list[Wanted] = []

    def note(wanted: Wanted) -> int:
        calls.append(wanted)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocols, "serve", note)
        if quick(["credential", *words]) is None:
            assert calls == []
            return
        assert cli.outcome(["credential", *words]) == 0
        assert calls[0] == calls[1]
