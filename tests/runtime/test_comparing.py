from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.config.model import Config
from proxy.runtime.comparing import compare, files
from proxy.runtime.credentials import Credentials
from proxy.runtime.differences import ChangedRoute, Differences, Listening, Restarted, lines
from proxy.runtime.tls import TlsContexts
from tests.support.certificates import Authority
from tests.support.clock import FakeClock

FILE = """\
listen: 127.0.0.1:8080
admin: 127.0.0.1:8081
providers:
  main: {{token_url: "https://provider.example.com/token", tls: {{ca_file: {ca}}}}}
clients:
  notebook: {{key: canary-key-of-the-notebook}}
credentials:
  api: {{provider: main, client_id: x, client_secret: canary-in-the-file, scope: read}}
  fixed: {{grant: static, token: canary-in-the-file}}
  borrows:
    grant: token_exchange
    provider: main
    client_id: y
    client_secret: canary-in-the-file
    subject: {{credential: api}}
routes:
  - {{path: /a/, upstream: "https://upstream.example.com/", credential: api}}
  - {{path: /b/, upstream: "https://upstream.example.com/", credential: fixed}}
"""


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return Authority(tmp_path).ca_file


@pytest.fixture
def read(tmp_path: Path, ca: Path) -> Callable[[str, str], Config]:
    def reading(old: str = "", new: str = "") -> Config:
        text = FILE.format(ca=ca)
        assert old in text
        (tmp_path / "c.yaml").write_text(text.replace(old, new, 1) if old else text + new)
        return load(tmp_path / "c.yaml", {"HOME": str(tmp_path)})

    return reading


Read = Callable[..., Config]


def test_the_same_again_changes_nothing(read: Read) -> None:
    found = compare(read(), read())
    assert not found
    assert found.kept == ("api", "fixed", "borrows")
    assert found.listeners.kept == ("listen 127.0.0.1:8080", "admin 127.0.0.1:8081")
    assert found.routes_kept == ("/a/", "/b/")
    assert list(lines(found.document())) == []
    assert found.brief() == "nothing in it is new"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("scope: read", "scope: write", [("api", ("scope",), False)]),
        ("client_id: x", "client_id: z", [("api", ("client_id",), False)]),
        ("scope: read", "scope: read, renew: {margin: 1m}", [("api", ("renew.margin",), True)]),
        ("scope: read", "scope: read, required: false", [("api", ("required",), True)]),
        ("canary-in-the-file}", "{env: T}}", [("fixed", ("token",), False)]),
        ("client_id: y", "client_id: y\n    actor: {env: A}", [("borrows", ("actor",), False)]),
        ("{token_url", "{proxy: none, token_url", [("api", ("proxy",), True)]),
        ("/token", "/tokens", [("api", ("token_url",), False)]),
    ],
)
def test_a_credential_restarts_for_what_it_is_made_from(
    read: Read, old: str, new: str, expected: list[tuple[str, tuple[str, ...], bool]]
) -> None:
    found = compare(read(), read(old, new))
    assert found.restarted[: len(expected)] == tuple(Restarted(*one) for one in expected)
    assert "fixed" in found.kept or expected[0][0] == "fixed"


def test_who_borrows_from_a_credential_restarts_with_what_it_borrows(read: Read) -> None:
    found = compare(read(), read("scope: read", "scope: write"))
    borrower = found.restarted[1]
    assert borrower == Restarted("borrows", ("the credential that it borrows from",), False)


def test_a_file_with_another_content_restarts_those_who_use_it_and_their_tokens_stay(
    read: Read, ca: Path
) -> None:
    found = compare(read(), read(), touched={ca, Path("/elsewhere")})
    assert found.restarted == (
        Restarted("api", (str(ca),), True),
        Restarted("borrows", (str(ca),), True),
    )
    assert found.kept == ("fixed",)
    assert found.files == (str(ca),)


def test_credentials_come_and_go(read: Read) -> None:
    more = read("credentials:\n", "credentials:\n  new: {grant: static, token: {env: T}}\n")
    assert compare(read(), more).added == ("new",)
    assert compare(more, read()).dropped == ("new",)
    assert compare(more, read()).kept == ("api", "fixed", "borrows")


def test_routes_change_where_they_are(read: Read) -> None:
    after = read("credential: fixed", "credential: fixed, timeouts: {head: 5s}, header: X-Key")
    found = compare(read(), after)
    assert found.routes_changed == (ChangedRoute("/b/", ("header", "timeouts.head")),)
    assert found.routes_kept == ("/a/",)


def test_listeners_stay_unless_their_address_changes(read: Read) -> None:
    moved = compare(read(), read("127.0.0.1:8081", "127.0.0.1:8082"))
    assert moved.listeners == Listening(
        kept=("listen 127.0.0.1:8080",),
        opened=("admin 127.0.0.1:8082",),
        closed=("admin 127.0.0.1:8081",),
    )
    more = compare(read(), read("path: /b/,", "path: /b/, listen: 127.0.0.1:8090,"))
    assert more.listeners.opened == ("routes 127.0.0.1:8090",)
    assert more.routes_added == ("127.0.0.1:8090/b/",)
    assert more.routes_removed == ("/b/",)


@pytest.mark.parametrize(
    ("new", "key"),
    [
        ("hold: 3s", "hold"),
        ("limits: {head: 32KiB}", "limits.head"),
        ("log: {level: debug}", "log.level"),
        ("drain: {delay: 1s}", "drain.delay"),
        ("hosts: [a.example.com]", "hosts"),
    ],
)
def test_other_settings_are_told_by_their_keys(read: Read, new: str, key: str) -> None:
    found = compare(read(), read("", new + "\n"))
    assert found.settings == (key,)
    assert found.kept == ("api", "fixed", "borrows")


def test_a_client_is_told_by_its_name_and_who_may_fetch_a_token_restarts_nothing(
    read: Read,
) -> None:
    other = compare(read(), read("canary-key-of-the-notebook", "{env: KEY}"))
    assert other.settings == ("clients.notebook",)
    listed = compare(read(), read("scope: read", "scope: read, clients: [notebook]"))
    assert listed.settings == ("credentials.api.clients",)
    assert "api" in listed.kept


@pytest.mark.parametrize("new", ["workers: 2", "store: file"])
def test_what_takes_a_restart_is_told_apart(read: Read, new: str) -> None:
    assert compare(read(), read("", new + "\n")).after_restart == (new.partition(":")[0],)


def test_the_files_are_those_that_are_read_with_the_configuration(
    read: Read, ca: Path, tmp_path: Path
) -> None:
    pair = Authority(tmp_path).issue()
    tls = f"{{cert_file: {pair.cert_file}, key_file: {pair.key_file}}}"
    shown = f"{{address: 127.0.0.1:8080, tls: {tls}}}"
    config = read("127.0.0.1:8080", shown)
    assert files(config) == (pair.cert_file, pair.key_file, ca)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("scope: read", "scope: write"),
        ("scope: read", "scope: read, renew: {margin: 1m}"),
        ("client_id: y", "client_id: z"),
        ("/token", "/tokens"),
        ("{token_url", "{proxy: none, token_url"),
        ("", "hold: 3s\n"),
    ],
)
async def test_what_is_told_is_what_the_credentials_do(read: Read, old: str, new: str) -> None:
    credentials = Credentials(
        environ={}, clock=FakeClock(), contexts=TlsContexts(), log=lambda _: None
    )
    before, after = read(), read(old, new)
    planned = credentials.plan(before.credentials)
    credentials._held = dict(planned)
    then = credentials.plan(after.credentials)
    kept = tuple(name for name in then if then[name].credential is planned[name].credential)
    assert compare(before, after).kept == kept
    for one in compare(before, after).restarted:
        same = then[one.name].identity == planned[one.name].identity
        assert one.keeps_token == same


def test_nothing_that_is_told_shows_a_value(read: Read) -> None:
    found = compare(read(), read("canary-in-the-file", "canary-2"))
    assert found.restarted
    told = "\n".join([json.dumps(found.document()), found.brief(), *lines(found.document())])
    assert "canary" not in told


def test_the_document_and_the_lines_say_the_same() -> None:
    found = Differences(
        kept=("a",),
        restarted=(Restarted("b", ("scope",), False), Restarted("c", ("renew.margin",), True)),
        added=("d",),
        dropped=("e",),
        listeners=Listening(("listen 1",), ("admin 2",), ("admin 3",)),
        routes_kept=("/k/",),
        routes_changed=(ChangedRoute("/r/", ("upstream", "scheme")),),
        routes_added=("/n/",),
        routes_removed=("/g/",),
        settings=("hold",),
        after_restart=("workers",),
        files=("/ca.pem",),
    )
    assert list(lines(found.document())) == [
        "  1 credential stays, with its token",
        "~ credential b: restarted with a new token: scope",
        "~ credential c: restarted, its token stays: renew.margin",
        "+ credential d: new",
        "- credential e: dropped",
        "  listen 1: stays open",
        "+ admin 2: opened",
        "- admin 3: closed",
        "  1 route stays as it is",
        "~ route /r/: upstream, scheme",
        "+ route /n/: added",
        "- route /g/: removed",
        "~ hold: changed",
        "~ /ca.pem: its content is another",
        "! workers: changes with the next start only",
    ]
    assert found.document() == {
        "changed": True,
        "credentials": {
            "kept": ["a"],
            "restarted": [
                {"name": "b", "because": ["scope"], "token": "new"},
                {"name": "c", "because": ["renew.margin"], "token": "kept"},
            ],
            "new": ["d"],
            "dropped": ["e"],
        },
        "listeners": {"kept": ["listen 1"], "opened": ["admin 2"], "closed": ["admin 3"]},
        "routes": {
            "kept": ["/k/"],
            "changed": [{"route": "/r/", "because": ["upstream", "scheme"]}],
            "added": ["/n/"],
            "removed": ["/g/"],
        },
        "settings": ["hold"],
        "after_restart": ["workers"],
        "files": ["/ca.pem"],
    }
    assert found.brief() == (
        "1 credential kept; restarted b, c; new d; dropped e; opened admin 2; closed admin 3; "
        "1 route added; 1 route changed; 1 route removed; changed hold; after a restart workers; "
        "another content of /ca.pem"
    )
