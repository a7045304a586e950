"""How long it takes to the next try, by what kind of failure it was."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Failure, TokenRequestError
from proxy.tokens.retries import Retries, wait_after
from tests.support.provider import busy, network, refused, slow

TIMES = st.integers(min_value=1, max_value=10_000)
DRAWS = st.floats(min_value=0.0, max_value=1.0)


@given(TIMES, DRAWS)
def test_a_passing_failure_backs_off_from_half_a_second_to_a_minute(n: int, draw: float) -> None:
    assert 0.5 <= wait_after(network(), n, draw) <= min(60.0, 0.5 * 2 ** min(n, 50))


@given(TIMES, DRAWS)
def test_a_slow_failure_backs_off_from_half_a_minute_to_five(n: int, draw: float) -> None:
    assert 30.0 <= wait_after(slow(), n, draw) <= min(300.0, 30.0 * 2 ** min(n, 50))


def test_the_whole_span_is_used() -> None:
    assert wait_after(network(), 50, 0.0) == 0.5
    assert wait_after(network(), 50, 1.0) == 60.0
    assert wait_after(network(), 3, 1.0) == 4.0
    assert wait_after(slow(), 50, 1.0) == 300.0


@pytest.mark.parametrize(
    ("asked", "kept"), [(0.0, 0.5), (0.2, 0.5), (7.0, 7.0), (300.0, 300.0), (9999.0, 300.0)]
)
@given(n=TIMES, draw=DRAWS)
def test_retry_after_is_kept_to_within_bounds(
    asked: float, kept: float, n: int, draw: float
) -> None:
    assert wait_after(busy(asked), n, draw) == kept


def test_retry_after_without_a_moment_backs_off() -> None:
    error = TokenRequestError("busy", failure=Failure.RETRY_AFTER, reason="http_429")
    assert wait_after(error, 1, 1.0) == 1.0


@given(TIMES, DRAWS)
def test_a_refusal_waits_five_minutes_and_a_persons_password_for_ever(n: int, draw: float) -> None:
    assert wait_after(refused(), n, draw) == 300.0
    assert wait_after(refused("invalid_grant", unattended=False), n, draw) == math.inf


def test_what_may_lock_an_account_is_never_repeated_by_itself_whatever_its_kind() -> None:
    error = TokenRequestError("401", failure=Failure.SLOW, reason="http_401", unattended=False)
    retries = Retries(random.Random(1))
    retries.failed(error, 100.0)
    assert retries.due == math.inf
    assert retries.fixed


def test_another_kind_of_failure_begins_its_backoff_anew() -> None:
    retries = Retries(random.Random(1))
    for _ in range(20):
        retries.failed(network(), 100.0)
    retries.failed(slow(), 100.0)
    assert retries.due <= 160.0


def test_a_success_begins_the_backoff_anew() -> None:
    retries = Retries(random.Random(1))
    for _ in range(20):
        retries.failed(network(), 100.0)
    retries.succeeded(200.0)
    retries.failed(network(), 300.0)
    assert 300.5 <= retries.due <= 301.0


@given(st.integers(), TIMES)
def test_only_the_first_waiting_request_brings_a_try_forward(seed: int, n: int) -> None:
    retries = Retries(random.Random(seed))
    for _ in range(min(n, 12)):
        retries.failed(network(), 100.0)
    before = retries.due
    retries.bring_forward(100.0)
    brought = retries.due
    assert brought <= min(before, 103.0)
    assert brought >= 100.5
    for _ in range(200):
        retries.bring_forward(100.0)
    assert retries.due == brought


@pytest.mark.parametrize("error", [slow(), busy(60.0), refused()])
def test_a_fixed_moment_is_brought_forward_by_nobody(error: TokenRequestError) -> None:
    retries = Retries(random.Random(1))
    retries.failed(error, 100.0)
    due = retries.due
    retries.bring_forward(100.0)
    assert not retries.hasten(100.0)
    assert retries.due == due


def test_a_401_hastens_a_try_to_half_a_second_after_the_last() -> None:
    retries = Retries(random.Random(1))
    for _ in range(20):
        retries.failed(network(), 100.0)
    assert retries.hasten(100.1)
    assert retries.due == 100.5


def test_no_exception_is_kept_with_the_frames_that_raised_it() -> None:
    retries = Retries(random.Random(1))
    error = network()
    retries.failed(error, 100.0)
    assert not any(value is error for value in vars(type(retries)).values())
    assert all(getattr(retries, name) is not error for name in Retries.__slots__)
