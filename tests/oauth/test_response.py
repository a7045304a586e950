"""A successful answer: which field is the token, and which answers bring none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.response import UnusableAnswerError, read
from proxy.tokens.token import Token
from tests.support.answers import SENT, answer, unsigned

ABOUT = Circumstances("https://id.example")


def unusable(given: Answer, about: Circumstances = ABOUT) -> UnusableAnswerError:
    with pytest.raises(UnusableAnswerError) as caught:
        read(given, about)
    assert caught.value.failure is Failure.TRANSIENT
    return caught.value


def test_a_plain_answer_is_a_token() -> None:
    token = read(answer(), ABOUT)
    assert token.value.reveal() == "t0ken"
    assert token.field == "access_token"
    assert token.received == SENT.later(0.25)
    assert token.expires == SENT.later(300)
    assert token.lifetime == 299.75
    assert token.refresh is None
    assert token.warnings == ()


def test_the_first_wanted_field_that_is_there_is_the_token() -> None:
    about = Circumstances("x", use=("id_token", "access_token"))
    assert read(answer(id_token="the-id"), about).field == "id_token"
    for absent in (None, ""):
        assert read(answer(id_token=absent), about).field == "access_token"


def test_any_field_can_be_the_token() -> None:
    about = Circumstances("x", use=("accessToken",))
    given = answer({"accessToken": "t", "expires_in": 60})
    assert read(given, about).value.reveal() == "t"


def test_an_answer_without_the_wanted_field_says_which_is_missing() -> None:
    error = unusable(answer(), Circumstances("x", use=("id_token", "other")))
    assert error.missing
    assert error.reason == "no_token"
    assert "id_token or other" in str(error)


@pytest.mark.parametrize(
    "value",
    ["two\nlines", "with space", "nul\0", "é", "\u200b", "\ud800", 5, True, ["t"], {"a": 1}],
)
def test_a_token_that_no_header_can_carry_is_none(value: object) -> None:
    error = unusable(answer(access_token=value))
    assert not error.missing
    assert error.reason == "no_token"


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_token_type_bearer_in_any_case(kind: str) -> None:
    assert read(answer(token_type=kind), ABOUT)


@pytest.mark.parametrize("kind", [None, "", "DPoP", "mac", 5, ["Bearer"]])
def test_a_token_of_another_type_is_not_used(kind: object) -> None:
    assert unusable(answer(token_type=kind)).reason == "no_token"


def test_another_field_needs_no_token_type_but_must_not_have_a_wrong_one() -> None:
    about = Circumstances("x", use=("id_token",))
    assert read(answer(id_token="i", token_type=None), about)
    unusable(answer(id_token="i", token_type="DPoP"), about)


def test_a_refresh_token_comes_along_with_its_end() -> None:
    token = read(answer(refresh_token="r1", refresh_expires_in=1800), ABOUT)
    assert token.refresh is not None
    assert token.refresh.value.reveal() == "r1"
    assert token.refresh.expires == SENT.later(1800)


def test_refresh_expires_in_may_be_a_string() -> None:
    token = read(answer(refresh_token="r1", refresh_expires_in="1800"), ABOUT)
    assert token.refresh is not None
    assert token.refresh.expires == SENT.later(1800)


@pytest.mark.parametrize("said", [0, "0", None, -1, True, "soon", 1e99])
def test_a_refresh_token_of_which_nothing_sensible_is_said_does_not_end(said: object) -> None:
    token = read(answer(refresh_token="r1", refresh_expires_in=said), ABOUT)
    assert token.refresh is not None
    assert token.refresh.expires is None


@pytest.mark.parametrize("value", ["a\nb", 5, {"x": 1}])
def test_a_broken_refresh_token_is_ignored_and_reported(value: object) -> None:
    token = read(answer(refresh_token=value), ABOUT)
    assert token.refresh is None
    assert "refresh token" in token.warnings[0]


@pytest.mark.parametrize("spoilt", [{"access_token": None}, {"token_type": "mac"}])
def test_an_unusable_answer_still_brings_its_refresh_token(spoilt: dict[str, object]) -> None:
    error = unusable(answer(refresh_token="r2", **spoilt))
    assert error.refresh is not None
    assert error.refresh.value.reveal() == "r2"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Welcome</body></html>",
        b"[]",
        b'["access_token"]',
        b'"token"',
        b"null",
        b"7",
        b"{",
        b'{"access_token": "t", }',
        b"\xff\xfe\x00",
        b"\x1f\x8b\x08\x00",
        b"[" * 100_000,
        b'{"expires_in": ' + b"9" * 5000 + b"}",
        b"access_token=t&token_type=bearer",
    ],
)
def test_what_is_no_json_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(TokenRequestError) as caught:
        read(answer(body), ABOUT)
    assert caught.value.failure is Failure.TRANSIENT
    assert caught.value.reason == "unreadable"


def test_a_web_page_is_called_one_and_not_repeated() -> None:
    with pytest.raises(TokenRequestError, match="a web page") as caught:
        read(answer(b"<html>canary</html>", headers={"content-type": "text/html"}), ABOUT)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_a_redirect_is_explained_and_never_a_token(status: int) -> None:
    given = answer(status=status, headers={"location": "https://evil.example/canary"})
    with pytest.raises(TokenRequestError, match="redirect") as caught:
        read(given, ABOUT)
    assert caught.value.failure is Failure.TRANSIENT
    assert caught.value.reason == "redirect"
    assert "canary" not in str(caught.value)


def test_an_expired_jwt_is_no_usable_token() -> None:
    error = unusable(answer(access_token=unsigned(exp=SENT.wall - 5), refresh_token="r"))
    assert error.reason == "expired"
    assert error.refresh is not None


@pytest.mark.parametrize("took", [5, 5.5])
def test_an_answer_that_took_as_long_as_the_token_lives_brings_none(took: float) -> None:
    assert unusable(answer(expires_in=5, took=took)).reason == "expired"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
tokens = (
    st.text()
    | json_values
    | st.dictionaries(st.just("exp"), json_values).map(lambda claims: unsigned(**claims))
)
responses = st.fixed_dictionaries(
    {},
    optional={
        "access_token": tokens,
        "id_token": tokens,
        "token_type": st.just("Bearer") | json_values,
        "expires_in": json_values | st.integers(0, 100).map(str),
        "refresh_token": json_values,
        "refresh_expires_in": json_values,
        "error": json_values,
        "error_description": json_values,
    },
)


@given(
    body=st.binary() | responses.map(lambda one: json.dumps(one).encode()),
    status=st.sampled_from([200, 200, 200, 204, 302, 400, 401, 403, 404, 429, 500, 503]),
    date=st.text() | st.just("Tue, 14 Nov 2023 22:13:20 GMT") | st.just("1 Jan 0001"),
    wait=st.text() | st.integers().map(str),
    use=st.sampled_from([("access_token",), ("id_token", "access_token")]),
)
def test_whatever_comes_is_a_token_fit_to_send_or_an_explained_error(
    body: bytes, status: int, date: str, wait: str, use: tuple[str, ...]
) -> None:
    given_answer = answer(body, status=status, headers={"date": date, "retry-after": wait})
    outcome = read_or_error(given_answer, Circumstances("https://id.example", use=use))
    if isinstance(outcome, TokenRequestError):
        assert str(outcome).isprintable()
        assert len(str(outcome)) < 500
        assert outcome.retry_after is None or 0 < outcome.retry_after <= 300
    else:
        assert_fit_to_send(outcome, use)


def read_or_error(given: Answer, about: Circumstances) -> Token | TokenRequestError:
    try:
        return read(given, about)
    except TokenRequestError as error:
        return error


def assert_fit_to_send(token: Token, use: tuple[str, ...]) -> None:
    value = token.value.reveal()
    assert value
    assert all(0x21 <= ord(letter) <= 0x7E for letter in value)
    assert token.lifetime is not None
    assert token.lifetime > 0
    assert token.field in use
    assert all(warning.isprintable() for warning in token.warnings)


RUNAI = Circumstances("x", use=("accessToken",), json=True)


def test_an_endpoint_of_json_may_name_its_members_otherwise_and_no_type() -> None:
    token = read(answer({"accessToken": unsigned(exp=SENT.wall + 600), "expiresIn": 77}), RUNAI)
    assert token.field == "accessToken"
    assert token.lifetime == pytest.approx(599.75)
    opaque = read(
        answer({"accessToken": "o", "expiresIn": "77", "refreshToken": "r", "refreshExpiresIn": 9}),
        RUNAI,
    )
    assert opaque.lifetime == pytest.approx(76.75)
    assert opaque.refresh is not None
    assert (opaque.refresh.value.reveal(), opaque.refresh.expires) == ("r", SENT.later(9))


def test_an_access_token_without_type_is_taken_from_an_endpoint_of_json_alone() -> None:
    assert read(answer(token_type=None), Circumstances("x", json=True))
    unusable(answer(token_type=None))
    wrong = answer({"accessToken": "o", "tokenType": "DPoP"})
    assert "no token_type Bearer" in str(unusable(wrong, RUNAI))


def test_other_names_mean_nothing_in_a_form_endpoint_s_answer() -> None:
    token = read(answer(expires_in=None, expiresIn=5, refreshToken="r"), ABOUT)
    assert token.refresh is None
    assert token.lifetime == pytest.approx(3599.75)
