from __future__ import annotations

import base64
import hashlib
import itertools
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import TokenRequestError
from proxy.oauth.authorization import (
    AuthorizationRequest,
    authorization_request,
    check_nonce,
)
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.request import Wish
from proxy.secret import Secret
from tests.support.answers import answer, unsigned

ENDPOINT = "https://id.example/auth"
REDIRECT = "http://127.0.0.1:8000/callback"
ABOUT = Circumstances(where="https://id.example")


def asked(endpoint: str = ENDPOINT, wish: Wish = Wish()) -> AuthorizationRequest:  # noqa: B008 - frozen
    drawn = (f"{word}-{'x' * 40}" for word in itertools.cycle(["state", "verifier", "nonce"]))
    return authorization_request(endpoint, "me & you", wish, REDIRECT, lambda: next(drawn))


def query(request: AuthorizationRequest) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url).query, keep_blank_values=True, strict_parsing=True)


def test_it_says_who_asks_for_what_and_proves_it_later() -> None:
    request = asked()
    said = dict(query(request))
    assert said == {
        "response_type": "code",
        "client_id": "me & you",
        "redirect_uri": REDIRECT,
        "state": request.state.reveal(),
        "code_challenge": said["code_challenge"],
        "code_challenge_method": "S256",
    }
    digest = hashlib.sha256(request.verifier.reveal().encode()).digest()
    assert said["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert request.verifier.reveal() not in request.url


def test_a_nonce_goes_along_where_an_id_token_is_asked_for() -> None:
    assert asked().nonce is None
    assert asked(wish=Wish("openidentity")).nonce is None
    request = asked(wish=Wish("profile openid"))
    assert request.nonce is not None
    assert ("nonce", request.nonce.reveal()) in query(request)
    assert ("scope", "profile openid") in query(request)


def test_audiences_resources_and_params_go_along() -> None:
    said = query(asked(wish=Wish(None, ("a", "b"), ("https://r",), {"prompt": "login"})))
    assert said[-4:] == [
        ("audience", "a"),
        ("audience", "b"),
        ("resource", "https://r"),
        ("prompt", "login"),
    ]


def test_the_endpoints_own_query_stays_and_its_fragment_goes() -> None:
    request = asked(ENDPOINT + "?tenant=a%26b&empty=#part")
    assert query(request)[:2] == [("tenant", "a&b"), ("empty", "")]
    assert "#" not in request.url


@pytest.mark.parametrize("name", ["state", "code_challenge", "response_type", "nonce", "client_id"])
def test_nobody_else_speaks_for_what_is_decided_here(name: str) -> None:
    params = {} if name == "client_id" else {name: "theirs"}
    said = query(asked(f"{ENDPOINT}?{name}=theirs", Wish("openid", params=params)))
    assert [one for one, _ in said].count(name) == 1
    assert (name, "theirs") not in said


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=4), st.text(max_size=20))
def test_any_param_arrives_as_it_was_written(params: dict[str, str], scope: str) -> None:
    try:
        wish = Wish(scope, params=params)
    except ValueError:
        return
    said = query(asked(wish=wish))
    for name, value in params.items():
        assert name in {"response_type", "state", "nonce"} or (name, value) in said


def test_nothing_of_it_shows() -> None:
    shown = repr(asked(wish=Wish("openid")))
    assert not any(word in shown for word in ("state-", "verifier-", "nonce-"))


NONCE = Secret("n" * 43)


def test_the_id_token_of_this_login_passes() -> None:
    check_nonce(answer(id_token=unsigned(nonce="n" * 43)), NONCE, ABOUT)


def test_where_none_was_asked_for_or_none_came_there_is_nothing_to_check() -> None:
    check_nonce(answer(id_token=unsigned(nonce="other")), None, ABOUT)
    check_nonce(answer(), NONCE, ABOUT)
    check_nonce(answer(b"<html>"), NONCE, ABOUT)


@pytest.mark.parametrize(
    "id_token",
    [unsigned(nonce="other"), unsigned(), unsigned(nonce=7), unsigned(nonce="\ud800"), "no JWT"],
)
def test_the_id_token_of_another_login_is_refused(id_token: str) -> None:
    with pytest.raises(TokenRequestError, match="another login") as caught:
        check_nonce(answer(id_token=id_token), NONCE, ABOUT)
    assert caught.value.reason == "nonce"
