"""The moments of a token's life, for every lifetime from one second to ten hours."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.clock import Moment
from proxy.secret import Secret
from proxy.tokens.policy import ENDLESS, OVER, Schedule, Use, schedule, use
from proxy.tokens.token import Token

START = Moment(100.0, 1_700_000_000.0)
LIFETIMES = st.floats(min_value=1.0, max_value=36_000.0)
JITTERS = st.floats(min_value=-1.0, max_value=1.0)


def token(lifetime: float | None) -> Token:
    expires = None if lifetime is None else START.later(lifetime)
    return Token(Secret("t"), "access_token", START, expires)


def before_expiry(moments: Schedule, lifetime: float) -> tuple[float, float, float, float]:
    ends = (moments.soft, moments.hard, moments.last, moments.final)
    soft, hard, last, final = (START.later(lifetime).monotonic - end.monotonic for end in ends)
    return soft, hard, last, final


@pytest.mark.parametrize(
    ("lifetime", "soft", "hard", "last"),
    [
        (1.0, 1 / 3, 0.2, 0.1),
        (5.0, 5 / 3, 1.0, 0.5),
        (60.0, 20.0, 10.0, 1.0),
        (300.0, 100.0, 10.0, 1.0),
        (3600.0, 300.0, 10.0, 1.0),
        (36_000.0, 300.0, 10.0, 1.0),
    ],
)
def test_the_moments_of_common_lifetimes(
    lifetime: float, soft: float, hard: float, last: float
) -> None:
    moments = schedule(token(lifetime), 300.0, 0.0)
    assert before_expiry(moments, lifetime) == pytest.approx((soft, hard, last, last / 2))


@given(LIFETIMES, JITTERS)
def test_the_moments_come_in_order(lifetime: float, jitter: float) -> None:
    soft, hard, last, final = before_expiry(schedule(token(lifetime), 300.0, jitter), lifetime)
    assert lifetime > soft > hard > last > final > 0


@given(LIFETIMES, JITTERS, st.floats(min_value=0.0, max_value=7200.0))
def test_no_renewal_is_due_before_six_tenths_of_the_lifetime(
    lifetime: float, jitter: float, margin: float
) -> None:
    soft = schedule(token(lifetime), margin, jitter).soft
    assert soft.monotonic - START.monotonic >= 0.6 * lifetime


@given(LIFETIMES, JITTERS)
def test_jitter_moves_soft_by_at_most_a_tenth(lifetime: float, jitter: float) -> None:
    soft, *_ = before_expiry(schedule(token(lifetime), 300.0, jitter), lifetime)
    plain, *_ = before_expiry(schedule(token(lifetime), 300.0, 0.0), lifetime)
    assert 0.899 * plain <= soft <= 1.101 * plain


def test_a_margin_of_nothing_still_renews_no_later_than_the_token_is_gone() -> None:
    moments = schedule(token(3600.0), 0.0, 0.0)
    assert moments.soft == moments.last


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (200.0, Use.SERVE),
        (101.0, Use.SERVE),
        (99.0, Use.RENEW),
        (11.0, Use.RENEW),
        (9.0, Use.WAIT),
        (1.5, Use.WAIT),
        (1.0, Use.GONE),
        (0.0, Use.GONE),
        (-50.0, Use.GONE),
    ],
)
def test_what_a_request_does_with_a_token_of_five_minutes(left: float, expected: Use) -> None:
    moments = schedule(token(300.0), 300.0, 0.0)
    assert use(START.later(300.0 - left), moments) is expected


@given(LIFETIMES, st.floats(0.0, 1.5), st.floats(0.0, 1.5))
def test_the_clock_that_is_further_decides(lifetime: float, one: float, other: float) -> None:
    moments = schedule(token(lifetime), 300.0, 0.0)
    order = [Use.SERVE, Use.RENEW, Use.WAIT, Use.GONE]
    apart = Moment(START.monotonic + one * lifetime, START.wall + other * lifetime)
    ahead = START.later(max(one, other) * lifetime)
    assert order.index(use(apart, moments)) >= order.index(use(ahead.later(-0.001), moments))


@pytest.mark.parametrize("when", [START, START.later(1e12)])
def test_a_token_without_expiry_is_always_served(when: Moment) -> None:
    assert use(when, schedule(token(None), 300.0, 1.0)) is Use.SERVE
    assert schedule(token(None), 300.0, 1.0) is ENDLESS


def test_no_token_is_gone_at_any_time() -> None:
    assert use(Moment(-1e12, -1e12), OVER) is Use.GONE
    assert OVER.last.monotonic == -math.inf
