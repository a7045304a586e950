from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from proxy.message import Request
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.client import Client
from proxy.oauth.exchange import ACCESS_TOKEN, Exchange, jwt_bearer, token_exchange, type_uri
from proxy.oauth.request import Wish
from proxy.oauth.response import UnusableAnswerError
from proxy.secret import Secret
from proxy.tokens.token import Token
from tests.support.answers import SENT, answer

URL = "https://id.example/token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


def form(built: Request) -> list[tuple[str, str]]:
    return parse_qsl(built.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)


def read(exchange: Exchange, **fields: Any) -> Token:
    return exchange.read(answer(**fields), Circumstances("https://id.example"))


def test_a_subject_goes_with_its_type_and_with_all_that_is_wished() -> None:
    wish = Wish("read", ("a", "b"), ("https://r/1", "https://r/2"), {"more": "yes"})
    built = token_exchange(URL, Client("me"), wish, Exchange(Secret("s.u.b")))
    assert sorted(form(built)) == sorted(
        [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "s.u.b"),
            ("subject_token_type", ACCESS_TOKEN),
            ("scope", "read"),
            ("client_id", "me"),
            ("audience", "a"),
            ("audience", "b"),
            ("resource", "https://r/1"),
            ("resource", "https://r/2"),
            ("more", "yes"),
        ]
    )


def test_an_actor_goes_with_its_type_and_the_wanted_type_is_named() -> None:
    exchange = Exchange(
        Secret("s"), ID_TOKEN, Secret("a"), type_uri("jwt"), type_uri("access_token")
    )
    fields = dict(form(token_exchange(URL, Client("me"), Wish(), exchange)))
    assert fields["subject_token_type"] == ID_TOKEN
    assert (fields["actor_token"], fields["actor_token_type"]) == ("a", type_uri("jwt"))
    assert fields["requested_token_type"] == ACCESS_TOKEN


def test_short_names_of_types_are_completed_and_others_left() -> None:
    assert type_uri("id_token") == ID_TOKEN
    assert type_uri("urn:example:own") == "urn:example:own"


def test_an_assertion_is_the_whole_grant_and_may_come_without_a_client() -> None:
    built = jwt_bearer(URL, Client(""), Wish("read"), Secret("a.b.c"))
    assert form(built) == [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", "a.b.c"),
        ("scope", "read"),
    ]


@pytest.mark.parametrize("kind", ["N_A", "n_a", "Bearer", "bearer"])
def test_an_exchanged_token_need_not_be_an_access_token(kind: str) -> None:
    assert read(Exchange(Secret("s")), token_type=kind).value.reveal() == "t0ken"


@pytest.mark.parametrize("kind", ["DPoP", "mac", None, 5])
def test_but_no_other_type_is_understood(kind: object) -> None:
    with pytest.raises(UnusableAnswerError, match="no token_type Bearer"):
        read(Exchange(Secret("s")), token_type=kind)


def test_what_was_issued_must_be_what_was_asked_for() -> None:
    exchange = Exchange(Secret("s"), requested_type=ID_TOKEN)
    assert read(exchange, issued_token_type=ID_TOKEN).warnings == ()
    with pytest.raises(UnusableAnswerError, match=r"another type than .*id_token") as caught:
        read(exchange, issued_token_type=ACCESS_TOKEN)
    assert caught.value.reason == "issued_token_type"
    assert "does not say what type" in read(exchange).warnings[0]


def test_without_a_wanted_type_any_is_taken() -> None:
    assert read(Exchange(Secret("s")), issued_token_type=ID_TOKEN).warnings == ()


@pytest.mark.parametrize(("left", "lives"), [(40, 39.75), (4000, 299.75)])
def test_the_new_token_does_not_outlive_the_caller_s(left: float, lives: float) -> None:
    token = read(Exchange(Secret("s"), until=SENT.wall + left))
    assert token.lifetime == pytest.approx(lives)


def test_a_subject_that_has_ended_leaves_nothing() -> None:
    with pytest.raises(UnusableAnswerError, match="already ended"):
        read(Exchange(Secret("s"), until=SENT.wall - 1))


def test_neither_subject_nor_actor_shows_even_if_the_provider_repeats_them() -> None:
    exchange = Exchange(Secret("canary-subject"), actor=Secret("canary-actor"))
    said = {"error": "invalid_request", "error_description": "canary-subject canary-actor"}
    with pytest.raises(Exception, match="invalid_request") as caught:
        exchange.read(answer(said, status=400), Circumstances("https://id.example"))
    assert "canary" not in f"{caught.value} {exchange!r}"
