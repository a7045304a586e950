"""One ``Set-Cookie`` value: what it says, how long it lives, and when it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.clock import Moment
from proxy.message import Answer
from proxy.net.set_cookie import set_cookie

NOW = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def answer(date: str = DATE) -> Answer:
    now = Moment(50.0, NOW)
    return Answer(200, {"date": date}, b"", now, now)


@pytest.mark.parametrize(
    ("text", "lifetime"),
    [
        ("a=1", None),
        ("a=1; Max-Age=10", 10.0),
        ("a=1; max-age=0", 0.0),
        ("a=1; Max-Age=-1", -1.0),
        ("a=1; Max-Age=soon", None),
        ("a=1; Max-Age=99999999999999999999", None),
        ("a=1; Expires=Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("a=1; Expires=Tue, 14-Nov-2023 22:14:20 GMT", 60.0),
        ("a=1; expires=Thu, 01 Jan 1970 00:00:00 GMT", -NOW),
        ("a=1; Expires=Tue, 14 Nov 2023 22:14:20 GMT; Max-Age=10", 10.0),
        ("a=1; Expires=someday", None),
    ],
)
def test_a_cookie_lives_as_long_as_it_says(text: str, lifetime: float | None) -> None:
    cookie = set_cookie(text, answer())
    assert cookie is not None
    assert cookie.lifetime == lifetime


def test_expires_counts_from_the_answer_s_own_date() -> None:
    late = answer("Tue, 14 Nov 2023 22:18:20 GMT")
    cookie = set_cookie("a=1; Expires=Tue, 14 Nov 2023 22:18:30 GMT", late)
    assert cookie is not None
    assert cookie.lifetime == 10.0


def test_expires_counts_from_our_clock_where_there_is_no_date() -> None:
    cookie = set_cookie("a=1; Expires=Tue, 14 Nov 2023 22:13:30 GMT", answer(""))
    assert cookie is not None
    assert cookie.lifetime == 10.0


@pytest.mark.parametrize("text", ["", "=1", "  =1; Path=/", "alone", ";a=1", "a=\u00e9", "a=\x07"])
def test_what_has_no_name_or_fits_no_header_is_no_cookie(text: str) -> None:
    assert set_cookie(text, answer()) is None


def test_a_value_stays_as_it_is_and_does_not_show() -> None:
    cookie = set_cookie('a="x=y , z" ; HttpOnly; Path=/p', answer())
    assert cookie is not None
    assert (cookie.name, cookie.value) == ("a", '"x=y , z"')
    assert cookie.attributes == {"httponly": "", "path": "/p"}
    assert "x=y" not in repr(cookie)


@given(st.text(max_size=80))
def test_nothing_that_a_server_sets_is_a_crash(text: str) -> None:
    cookie = set_cookie(text, answer())
    assert cookie is None or (cookie.name and cookie.value.isascii())
