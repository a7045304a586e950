from collections.abc import Callable

import pytest

from proxy.config.model import Config, SdkLogin

CREDENTIALS = """\
credentials:
  a: {grant: static, token: {env: A}}
  s: {grant: session, url: "https://k/", username: u, password: {env: P}}
  o: {token_url: "https://i/t", client_id: c, client_secret: {env: S}, grant: token_exchange,
      subject: request}
"""


def route(keys: str) -> str:
    return f"{CREDENTIALS}routes:\n  - {{upstream: 'https://u', {keys}}}\n"


@pytest.mark.parametrize("login", SdkLogin)
def test_every_sdk_is_known(loaded: Callable[[str], Config], login: SdkLogin) -> None:
    assert loaded(route(f"credential: a, sdk_login: {login}")).routes[0].sdk_login is login


@pytest.mark.parametrize("keys", ["", ", sdk_login: off", ", sdk_login: false"])
def test_it_is_off_unless_it_is_asked_for(loaded: Callable[[str], Config], keys: str) -> None:
    assert loaded(route(f"credential: a{keys}")).routes[0].sdk_login is None


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("credential: a, sdk_login: walaroo", "wallaroo"),
        ("credential: a, sdk_login: true", "off"),
        ("credential: a, sdk_login: [runai]", "off"),
        ("credential: none, sdk_login: runai", "needs a `credential`"),
        ("credential: o, sdk_login: runai", "`o` wants each caller's own token"),
        ("credential: s, cookies: true, sdk_login: seldon-session", "`cookies: true` would send"),
    ],
)
def test_what_does_not_fit_is_told(
    problems: Callable[[str], list[str]], keys: str, said: str
) -> None:
    (found,) = problems(route(keys))
    assert said in found
    assert found.startswith("7:")


def test_cookies_may_pass_where_no_cookie_is_given_out(loaded: Callable[[str], Config]) -> None:
    assert loaded(route("credential: a, cookies: true, sdk_login: seldon")).routes[0].cookies
