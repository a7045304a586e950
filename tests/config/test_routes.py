from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.model import Config, Egress, Upstream

A = "credentials: {a: {grant: static, token: {env: A}}}\n"


def route(keys: str) -> str:
    return f"{A}routes:\n  - {{{keys}}}\n"


def test_an_upstream_is_taken_apart(loaded: Callable[[str], Config]) -> None:
    (found,) = loaded(route("upstream: 'https://API.example.com:8443/v1', credential: a")).routes
    assert found.upstream == Upstream(True, "api.example.com", 8443, "api.example.com:8443", "/v1")
    assert found.credential == "a"


def test_none_means_no_credential(loaded: Callable[[str], Config]) -> None:
    assert loaded(route("upstream: https://u, credential: none")).routes[0].credential is None


@pytest.mark.parametrize(
    ("proxy", "egress"),
    [
        ("", Egress()),
        (", proxy: none", Egress(from_environment=False)),
        (", proxy: 'http://p:3128'", Egress(from_environment=False, url="http://p:3128")),
        (", proxy: 'http://p'", Egress(from_environment=False, url="http://p")),
    ],
)
def test_a_route_goes_out_as_it_says(
    loaded: Callable[[str], Config], proxy: str, egress: Egress
) -> None:
    config = loaded(route(f"upstream: 'https://u', credential: a{proxy}"))
    assert config.routes[0].egress == egress
    assert not config.warnings


def test_a_proxys_password_in_the_file_is_warned_about(loaded: Callable[[str], Config]) -> None:
    config = loaded(route("upstream: 'https://u', credential: a, proxy: 'http://joe:pw1@p:1'"))
    (warning,) = config.warnings
    assert "`proxy` holds a password in plain text" in str(warning)
    assert "pw1" not in str(warning) + repr(config)


def test_everything_about_a_route_is_kept(loaded: Callable[[str], Config]) -> None:
    text = """\
        clients: {b: {key: {env: B}}}
        credentials: {a: {grant: static, token: {env: A}}}
        routes:
          - path: /a
            host: A.Example
            listen: 127.0.0.1:9
            upstream: http://10.0.0.1/
            credential: a
            header: X-Api-Key
            scheme: ''
            allow_insecure: true
            clients: [b]
            cookies: true
            rewrite_location: true
            timeouts: {connect: 1s, head: 2s, idle: 3s}
            max_body: 1KiB
            replay_body: 0
        """
    config = loaded(text)
    (found,) = config.routes
    assert (found.path, found.host, str(found.listen)) == ("/a/", "a.example", "127.0.0.1:9")
    assert (found.header, found.scheme, found.clients) == ("X-Api-Key", "", frozenset({"b"}))
    assert (found.cookies, found.max_body, found.replay_body) == (True, 1024, 0)
    assert found.rewrite_location
    assert (found.timeouts.connect, found.timeouts.head, found.timeouts.idle) == (1, 2, 3)
    assert [str(one).rpartition(":")[2] for one in config.warnings] == [
        " true` lets secrets travel unencrypted"
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("credential: a", "3:5: the route has no `upstream`"),
        ("upstream: https://u", "3:5: the route has no `credential`: name one, or say none"),
        (
            "upstream: https://u, credential: a, proxy: 'https://p:1'",
            "`proxy` of a route must be http://host:port, or none",
        ),
        (
            "upstream: https://u, credential: a, proxy: 'http://p:1/x'",
            "`proxy` must be http://host:port, or none",
        ),
        ("upstream: u, credential: a", "`upstream` must be a URL that begins with https://"),
        ("upstream: 'ftp://u', credential: a", "`upstream` must be a URL that begins with"),
        ("upstream: 'https://me:pw@u', credential: a", "must not hold a user or password"),
        ("upstream: 'https://u/?a=b', credential: a", "`upstream` must be a URL without ?"),
        ("upstream: 'https://u/?', credential: a", "`upstream` must be a URL without ?"),
        ("upstream: 'https://u/#a', credential: a", "`upstream` must not have a fragment"),
        ("upstream: 'https://u/../a', credential: a", "`upstream` has a path that must not have"),
        ("upstream: 'https://u//a', credential: a", "`upstream` has a path that must not have"),
        ("upstream: 'http://u', credential: a", "`upstream` sends secrets over plain http"),
        ("upstream: https://u, credential: b", "`credential` names `b`, which is not in"),
        ("upstream: https://u, credential: a, path: a", "`path` must begin with /"),
        ("upstream: https://u, credential: a, header: Host", "`header` can't be a field"),
        ("upstream: https://u, credential: a, header: content-length", "`header` can't be"),
        ("upstream: https://u, credential: a, header: TE", "`header` can't be a field"),
        ("upstream: https://u, credential: a, header: Proxy-Foo", "`header` can't be a field"),
        ("upstream: https://u, credential: a, header: 'A B'", "`header` must be made of letters"),
        ("upstream: https://u, credential: a, scheme: 'A B'", "`scheme` must be made of letters"),
        ("upstream: https://u, credential: a, host: 'a:1'", "`host` must be a host name"),
        ("upstream: https://u, credential: a, clients: [x]", "`clients` names `x`, which is not"),
        ("upstream: https://u, credential: a, clients: []", "`clients` names nobody"),
        ("upstream: https://u, credential: a, clients: x", "`clients` must be a list"),
        ("upstream: https://u, credential: a, cookies: some", "`cookies` must be true or false"),
        ("upstream: https://u, credential: a, max_body: 0", "`max_body` must be more than 0"),
        ("upstream: https://u, credential: a, timeouts: {head: 0}", "`head` must be more than 0"),
        ("upstream: https://u, credential: a, timeouts: 3s", "`timeouts` must be a mapping"),
        ("upstream: 'http://127.0.0.1:9', credential: a, tls: {verify: true}", "`tls` has no"),
        ("upstream: https://u, credential: a, tls: {ca_file: x}", "`ca_file` names a file that is"),
        ("upstream: https://u, credential: a, tls: {ca_file: .}", "`ca_file` names a directory"),
        ("upstream: https://u, credential: a, tls: {key_file: c.yaml}", "has a key_file and no"),
        (
            "upstream: https://u, credential: a, tls: {verify: false, ca_file: c.yaml}",
            "`ca_file` and `verify: false` exclude each other",
        ),
    ],
)
def test_a_wrong_route_is_located_and_told_what_would_be_right(
    problems: Callable[[str], list[str]], keys: str, expected: str
) -> None:
    (found,) = problems(route(keys))
    assert found.startswith("3:")
    assert expected in found


def test_plain_http_without_a_credential_needs_no_leave(
    problems: Callable[[str], list[str]],
) -> None:
    assert problems(route("upstream: http://u, credential: none")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("path: /a/", "path: /a"),
        ("path: /a/", "path: /%61/"),
        ("path: /", "cookies: true"),
        ("host: A.b", "host: a.B"),
        ("listen: 127.0.0.1:9", "listen: 127.0.0.1:9"),
    ],
)
def test_two_routes_alike_are_a_mistake(
    problems: Callable[[str], list[str]], one: str, other: str
) -> None:
    text = f"""\
        routes:
          - {{{one}, upstream: https://u, credential: none}}
          - {{{other}, upstream: https://v, credential: none}}
        """
    (found,) = problems(text)
    assert found.startswith("3:")
    assert "the same listener, host and path as the route on line 2" in found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("path: /a/", "path: /A/"),
        ("path: /a/b", "path: /a%2Fb"),
        ("path: /a", "path: /a/b"),
        ("host: a", "host: b"),
        ("host: a", "cookies: true"),
        ("listen: 127.0.0.1:9", "cookies: true"),
    ],
)
def test_routes_that_differ_are_none(
    problems: Callable[[str], list[str]], one: str, other: str
) -> None:
    text = f"""\
        routes:
          - {{{one}, upstream: https://u, credential: none}}
          - {{{other}, upstream: https://v, credential: none}}
        """
    assert problems(text) == []


def test_a_route_that_is_no_mapping_leaves_the_others_to_be_checked(
    problems: Callable[[str], list[str]],
) -> None:
    text = """\
        routes:
          - nonsense
          - {upstream: https://u, credential: b}
        """
    found = problems(text)
    assert found[0] == "2:5: an entry of `routes` must be a mapping of keys"
    assert found[1].startswith("3:39: `credential` names `b`")


def test_tls_files_are_absolute(loaded: Callable[[str], Config], directory: Path) -> None:
    (directory / "ca.pem").touch()
    (found,) = loaded(route("upstream: https://u, credential: a, tls: {ca_file: ca.pem}")).routes
    assert found.tls.ca_file == directory / "ca.pem"


def test_trusting_anybody_is_warned_about(loaded: Callable[[str], Config]) -> None:
    config = loaded(route("upstream: https://u, credential: a, tls: {verify: false}"))
    assert config.routes[0].tls.verify is False
    (warning,) = config.warnings
    assert (warning.line, warning.column) == (3, 56)
    assert "verify: false" in warning.message


SESSION = "{grant: session, url: https://app/, username: u, password: {env: P}}"


@pytest.mark.parametrize("key", ["header: X-Token", "scheme: ''", "header: Authorization"])
def test_a_session_goes_as_a_cookie_and_nowhere_else(
    problems: Callable[[str], list[str]], key: str
) -> None:
    text = f"""\
        credentials: {{s: {SESSION}}}
        routes:
          - {{upstream: https://u, credential: s, {key}}}
        """
    (found,) = problems(text)
    assert found.startswith("3:42: ")
    assert "has no meaning here: `s` is a session, sent as a cookie" in found


def test_a_route_with_a_session_may_pass_the_clients_cookies(
    loaded: Callable[[str], Config],
) -> None:
    text = f"""\
        credentials: {{s: {SESSION}}}
        routes:
          - {{upstream: https://u, credential: s, cookies: true}}
        """
    assert loaded(text).routes[0].cookies
