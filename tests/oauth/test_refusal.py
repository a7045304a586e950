"""Every row of the table of answers: what a provider says, and how it is to be treated."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.response import read
from proxy.secret import Secret
from tests.support.answers import SENT, answer

ABOUT = Circumstances("https://id.example")
TERMINAL = [
    "invalid_client",
    "unauthorized_client",
    "invalid_scope",
    "unsupported_grant_type",
    "invalid_grant",
]


def refused(given: Answer, **circumstances: Any) -> TokenRequestError:
    with pytest.raises(TokenRequestError) as caught:
        read(given, Circumstances("https://id.example", **circumstances))
    return caught.value


def says(error: object, status: int = 400, **headers: str) -> Answer:
    return answer({"error": error}, status=status, headers=headers)


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize("code", TERMINAL)
def test_codes_that_refuse_the_credential_are_terminal(code: str, status: int) -> None:
    error = refused(says(code, status))
    assert error.failure is Failure.TERMINAL
    assert error.reason == error.error == code
    assert error.unattended
    assert code in str(error)


@pytest.mark.parametrize("code", TERMINAL)
def test_a_refused_password_is_not_repeated_unattended(code: str) -> None:
    error = refused(says(code, 401), password=True)
    assert error.failure is Failure.TERMINAL
    assert not error.unattended


def test_a_bare_401_to_a_password_is_not_repeated_unattended() -> None:
    assert not refused(answer(b"no", status=401), password=True).unattended
    assert refused(answer(b"no", status=401)).unattended


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_answers_that_are_not_about_the_password_are_tried_again(status: int) -> None:
    assert refused(answer(b"no", status=status), password=True).unattended


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
def test_while_the_secret_rotates_a_refused_client_is_like_a_network_fault(code: str) -> None:
    error = refused(says(code, 401), rotating=True)
    assert error.failure is Failure.TRANSIENT
    assert error.reason == error.error == code


@pytest.mark.parametrize("code", ["invalid_scope", "unsupported_grant_type", "invalid_grant"])
def test_what_is_not_about_the_client_stays_terminal_while_its_secret_rotates(code: str) -> None:
    assert refused(says(code), rotating=True).failure is Failure.TERMINAL


def test_a_password_is_not_repeated_even_while_the_secret_rotates() -> None:
    error = refused(says("invalid_client", 401), rotating=True, password=True)
    assert error.failure is Failure.TERMINAL
    assert not error.unattended


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 408, 410, 418, 429, 451])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]"])
def test_other_client_errors_are_tried_slowly(status: int, body: bytes) -> None:
    error = refused(answer(body, status=status))
    assert error.failure is Failure.SLOW
    assert error.reason == f"http_{status}"
    assert error.error is None


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("code", TERMINAL)
def test_any_403_or_404_is_slow_whatever_it_says(status: int, code: str) -> None:
    error = refused(says(code, status))
    assert error.failure is Failure.SLOW
    assert error.reason == f"http_{status}"
    assert error.error == code


def test_a_known_code_that_refuses_nothing_is_slow_under_its_own_name() -> None:
    error = refused(says("invalid_request"))
    assert error.failure is Failure.SLOW
    assert error.reason == "invalid_request"


def test_an_unknown_code_does_not_become_a_label() -> None:
    error = refused(says("my_very_own_error"))
    assert error.reason == "http_400"
    assert error.error == "my_very_own_error"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("300", 300.0),
        ("86400", 300.0),
        ("9" * 100_000, 300.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
    ],
)
def test_retry_after_is_kept_to_but_capped(status: int, said: str, seconds: float) -> None:
    headers = {"retry-after": said, "date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    error = refused(answer(b"", status=status, headers=headers))
    assert error.failure is Failure.RETRY_AFTER
    assert error.retry_after == seconds


def test_a_retry_after_date_without_date_is_held_against_our_clock() -> None:
    headers = {"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}
    assert refused(answer(b"", status=503, headers=headers)).retry_after == pytest.approx(59.75)


@pytest.mark.parametrize(
    "said", ["", "0", "-5", "soon", "1e3", "٣", "Mon, 01 Jan 1990 00:00:00 GMT"]
)
@pytest.mark.parametrize(("status", "failure"), [(429, Failure.SLOW), (503, Failure.TRANSIENT)])
def test_a_retry_after_without_sense_is_as_good_as_none(
    said: str, status: int, failure: Failure
) -> None:
    error = refused(answer(b"", status=status, headers={"retry-after": said}))
    assert error.failure is failure
    assert error.retry_after is None


def test_retry_after_means_nothing_on_other_statuses() -> None:
    error = refused(answer(b"", status=500, headers={"retry-after": "7"}))
    assert error.failure is Failure.TRANSIENT
    assert error.retry_after is None


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_server_errors_are_transient_whatever_they_say(status: int) -> None:
    error = refused(says("invalid_client", status))
    assert error.failure is Failure.TRANSIENT
    assert error.reason == f"http_{status}"


@pytest.mark.parametrize(
    "said", ["server_error", "temporarily_unavailable", "whatever", {"code": 1}, ["x"], 7, "\n"]
)
def test_an_unknown_error_inside_a_200_is_transient(said: object) -> None:
    error = refused(answer({"error": said, "access_token": "t", "token_type": "Bearer"}))
    assert error.failure is Failure.TRANSIENT


@pytest.mark.parametrize("said", [None, "", False])
def test_an_empty_error_inside_a_200_is_none(said: object) -> None:
    body = {"error": said, "access_token": "t", "token_type": "Bearer", "expires_in": 60}
    assert read(answer(body), ABOUT).value.reveal() == "t"


def test_the_description_is_cleaned_and_cut() -> None:
    told = "Session\x1b[31m not\r\n\tactive \u202e" + "x" * 5000
    error = refused(answer({"error": "invalid_grant", "error_description": told}, status=400))
    assert "(Session [31m not active xxx" in str(error)
    assert str(error).isascii() or "…" in str(error)
    assert len(str(error)) < 400


def test_the_message_never_repeats_the_body_beyond_code_and_description() -> None:
    body = {"error": "invalid_client", "error_description": "no", "trace": "canary"}
    assert "canary" not in str(refused(answer(body, status=401)))


@pytest.mark.parametrize("told", ["wrong secret canary&1!", "wrong secret canary%261%21"])
def test_a_provider_that_repeats_the_secret_is_not_repeated(told: str) -> None:
    body = {"error": "invalid_client", "error_description": told}
    error = refused(answer(body, status=401), secrets=(Secret("canary&1"),))
    assert "canary" not in str(error)
    assert "[hidden]" in str(error)


def test_a_secret_sent_back_as_the_error_code_is_no_code() -> None:
    error = refused(answer({"error": "canary1"}, status=400), secrets=(Secret("canary1"),))
    assert error.error is None
    assert "canary" not in str(error)


def test_a_short_secret_does_not_black_out_the_description() -> None:
    body = {"error": "invalid_client", "error_description": "a bad client"}
    error = refused(answer(body, status=401), secrets=(Secret("a"),))
    assert "a bad client" in str(error)


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
def test_who_signs_is_told_to_look_at_the_key(code: str) -> None:
    given = answer({"error": code}, status=400)
    assert "the key that signs" in str(refused(given, signed=True))
    assert "key" not in str(refused(given))


def dated(ahead: float) -> Answer:
    field = {"date": formatdate(SENT.wall + ahead, usegmt=True)}
    return answer({"error": "invalid_client"}, status=401, headers=field)


@pytest.mark.parametrize(("ahead", "side"), [(300, "ahead of"), (-300, "behind")])
def test_clocks_apart_explain_the_refusal_of_what_was_signed(ahead: float, side: str) -> None:
    said = str(refused(dated(ahead), signed=True))
    assert f"s {side} ours, and what we sign is judged by it" in said
    assert "clock" not in str(refused(dated(ahead)))


def test_a_few_seconds_between_clocks_explain_nothing() -> None:
    assert "clock" not in str(refused(dated(20), signed=True))


def test_a_wrong_target_is_looked_for_in_audience_and_resource() -> None:
    given = answer({"error": "invalid_target"}, status=400)
    assert "check audience and resource" in str(refused(given))


@pytest.mark.parametrize(
    ("password", "hint"), [(True, "the user name and the password"), (False, "was used before")]
)
def test_a_dead_grant_is_told_of_what_was_presented(password: bool, hint: str) -> None:
    assert hint in str(refused(says("invalid_grant"), password=password))
