from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Failure, TokenRequestError
from proxy.oauth import device, revocation
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.device import DeviceAuthorization, Pending
from proxy.secret import Secret
from proxy.tokens.token import Token
from tests.support.answers import SENT, answer

ABOUT = Circumstances(where="https://id.example", secrets=(Secret("the-device-code"),))
CODES = {
    "device_code": "the-device-code",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://id.example/device",
    "verification_uri_complete": "https://id.example/device?user_code=WDJB-MJHT",
    "expires_in": 900,
    "interval": 7,
}


def read(**changed: object) -> DeviceAuthorization:
    body = {name: value for name, value in (CODES | changed).items() if value is not None}
    return device.read(answer(body), ABOUT)


def refused(**changed: object) -> TokenRequestError:
    with pytest.raises(TokenRequestError) as caught:
        read(**changed)
    return caught.value


def test_the_codes_are_read() -> None:
    assert read() == DeviceAuthorization(
        device_code=Secret("the-device-code"),
        user_code="WDJB-MJHT",
        verification_uri="https://id.example/device",
        complete="https://id.example/device?user_code=WDJB-MJHT",
        expires=SENT.later(900),
        interval=7,
    )
    assert "the-device-code" not in repr(read())


def test_what_may_be_absent_may_be_absent() -> None:
    found = read(verification_uri_complete=None, interval=None, expires_in=None)
    assert (found.complete, found.interval, found.expires) == (None, 5, SENT.later(600))


@pytest.mark.parametrize("nonsense", [0, -1, "soon", [], True, 1e99])
def test_nonsense_about_time_is_as_good_as_nothing(nonsense: object) -> None:
    found = read(interval=nonsense, expires_in=nonsense)
    assert (found.interval, found.expires) == (5, SENT.later(600))


def test_the_name_of_an_older_draft_is_understood() -> None:
    found = read(verification_uri=None, verification_url="https://id.example/old")
    assert found.verification_uri == "https://id.example/old"


@pytest.mark.parametrize(
    "changed",
    [
        {"device_code": None},
        {"device_code": "a b"},
        {"user_code": ""},
        {"user_code": "\x1b[2Jmine"},
        {"user_code": "x" * 65},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "https://id.example/\x1b[2J"},
        {"verification_uri": "https://["},
        {"verification_uri_complete": "file:///etc/passwd"},
        {"verification_uri_complete": 7},
    ],
)
def test_what_can_not_be_shown_to_a_person_is_refused(changed: dict[str, object]) -> None:
    error = refused(**changed)
    assert error.failure is Failure.TRANSIENT
    assert "device_url" in str(error)
    assert "\x1b" not in str(error)


def test_a_refusal_and_a_web_page_are_told() -> None:
    with pytest.raises(TokenRequestError, match="unauthorized_client"):
        device.read(answer({"error": "unauthorized_client"}, status=401), ABOUT)
    with pytest.raises(TokenRequestError, match="a web page"):
        device.read(answer(b"<html>"), ABOUT)
    with pytest.raises(TokenRequestError, match="redirect"):
        device.read(answer(b"", status=302), ABOUT)


def poll(error: str, status: int = 400) -> Token | Pending:
    body = {"error": error, "error_description": "about the-device-code"}
    return device.read_token(answer(body, status=status), ABOUT)


def test_a_poll_brings_the_token_or_says_to_wait() -> None:
    token = device.read_token(answer(), ABOUT)
    assert isinstance(token, Token)
    assert poll("authorization_pending") == Pending(slower=False)
    assert poll("slow_down") == Pending(slower=True)
    assert poll("slow_down", 429) == Pending(slower=True)


@pytest.mark.parametrize(
    ("error", "reason", "advice"),
    [
        ("access_denied", "denied", "log in again and accept"),
        ("expired_token", "expired_code", "log in again for a new one"),
    ],
)
def test_the_two_ways_to_end_without_a_token_are_explained(
    error: str, reason: str, advice: str
) -> None:
    with pytest.raises(TokenRequestError, match=advice) as caught:
        poll(error)
    assert (caught.value.reason, caught.value.failure) == (reason, Failure.TERMINAL)


def test_no_message_repeats_the_device_code() -> None:
    for error in ("access_denied", "expired_token", "invalid_grant", "invalid_client"):
        with pytest.raises(TokenRequestError) as caught:
            poll(error)
        assert "the-device-code" not in "".join(traceback.format_exception(caught.value))


def network() -> TokenRequestError:
    return TokenRequestError("gone", failure=Failure.TRANSIENT, reason="timeout")


@given(
    st.floats(1, 60),
    st.lists(st.sampled_from([Pending(slower=False), Pending(slower=True), network()])),
)
def test_polls_become_rarer_and_never_more_often(
    interval: float, events: list[Pending | TokenRequestError]
) -> None:
    for came in events:
        after = device.next_interval(interval, came)
        assert interval <= after <= 60
        interval = after


def test_slow_down_adds_five_seconds_and_silence_doubles() -> None:
    assert device.next_interval(5, Pending(slower=False)) == 5
    assert device.next_interval(5, Pending(slower=True)) == 10
    assert device.next_interval(5, network()) == 10


def test_a_revocation_is_done_with_any_success() -> None:
    revocation.read(answer(b""), ABOUT)
    revocation.read(answer(b"<html>", status=204), ABOUT)


@pytest.mark.parametrize(
    ("status", "failure"),
    [(302, Failure.TRANSIENT), (401, Failure.SLOW), (503, Failure.TRANSIENT)],
)
def test_a_revocation_that_was_not_done_is_told(status: int, failure: Failure) -> None:
    with pytest.raises(TokenRequestError) as caught:
        revocation.read(answer(b"", status=status), ABOUT)
    assert caught.value.failure is failure
