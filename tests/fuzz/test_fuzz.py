"""A short run of the fuzzing, and that its judges would see what it is there to find."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import answers_judge, judge
from tests.fuzz.engine import Tally, judge_answers, judge_requests, run, staged
from tests.fuzz.readers import lenient, strict
from tests.fuzz.stage import OK, Answered, Outcome

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
WENT = b"GET / HTTP/1.1\r\nHost: upstream.example\r\nAuthorization: Bearer token-1\r\n\r\n"


def test_three_thousand_inputs_have_no_unsafe_end() -> None:
    for tally in run(3000, seed=1).values():
        assert not tally.disagreements
        assert tally.passed > tally.inputs / 10
        assert tally.tolerated < tally.inputs / 100


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_what_an_upstream_counts_is_never_more_than_what_came(random: Random) -> None:
    tally = Tally()

    async def one() -> None:
        async with staged() as stage:
            await judge_requests(stage, random, tally)

    asyncio.run(one())
    assert not tally.disagreements


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_what_a_client_gets_is_never_more_than_what_was_sent(random: Random) -> None:
    tally = Tally()

    async def one() -> None:
        async with staged() as stage:
            await judge_answers(stage, random, tally)

    asyncio.run(one())
    assert not tally.disagreements


def test_both_readers_read_plain_requests_alike() -> None:
    raw = (
        GET + b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        b"PUT /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nab\r\n0\r\nT: 1\r\n\r\n"
    )
    expected = [(b"GET", b"/", b""), (b"POST", b"/x", b"abc"), (b"PUT", b"/y", b"ab")]
    for read in (strict(raw), lenient(raw, chunks_first=True), lenient(raw, chunks_first=False)):
        assert [(r.method, r.target, r.body) for r in read] == expected
        assert all(r.complete for r in read)


SMUGGLING = [
    WENT + WENT,
    WENT.replace(b"\r\n\r\n", b"\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n" + WENT),
    WENT.replace(b"\r\n\r\n", b"\r\nA: \nB: c\n\n" + WENT),
    WENT.replace(b"GET /", b"GET /../x"),
    WENT.replace(b"\r\n\r\n", b"\r\nA: \x01\r\n\r\n"),
    WENT.replace(b"GET", b"PUT"),
    WENT.replace(b"token-1", b"mine"),
    WENT.replace(b"\r\n\r\n", b"\r\nauthorization: x\r\n\r\n"),
    WENT.replace(b"\r\n\r\n", b"\r\nX_Forwarded_For: x\r\n\r\n"),
    WENT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    WENT.replace(b"upstream.example", b"localhost"),
    WENT.replace(b"\r\n\r\n", b"\r\nX-Token-Sidecar-Key: x\r\n\r\n"),
    WENT.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\na"),
]


def test_the_judge_sees_a_client_key() -> None:
    sent = b"GET /open/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer n0te\r\n\r\n"
    went = sent.replace(b"localhost", b"upstream.example")
    assert list(judge.complaints(sent, Outcome([went], keyed=True)))
    assert not list(judge.complaints(sent, Outcome([went])))


@pytest.mark.parametrize("went", SMUGGLING)
def test_the_judge_sees_what_must_not_go_up(went: bytes) -> None:
    assert not list(judge.complaints(GET, Outcome([WENT], keyed=True)))
    assert list(judge.complaints(GET, Outcome([went], keyed=True)))


LIES = [
    Answered(OK + OK),
    Answered(OK.replace(b"ok", b"ko")),
    Answered(OK.replace(b"200", b"201")),
    Answered(OK.replace(b"Content-Length: 2\r\n\r\n", b"Content-Length: 1\r\n\r\n")),
    Answered(OK, then=[b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"]),
    Answered(OK.replace(b"\r\n\r\n", b"\r\nProxy-Authenticate: x\r\n\r\n")),
    Answered(b"nonsense"),
]


@pytest.mark.parametrize("lie", LIES)
def test_the_judge_sees_what_no_client_may_get(lie: Answered) -> None:
    assert not list(answers_judge.complaints(OK, b"GET", False, Answered(OK, then=[OK, b""])))
    assert list(answers_judge.complaints(OK, b"GET", False, lie))


def test_a_body_that_broke_off_must_not_pass_for_whole() -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"
    plain = b"HTTP/1.1 200 OK\r\n\r\nok"
    assert list(answers_judge.complaints(sent, b"GET", True, Answered(plain, ended=True)))
    assert not list(answers_judge.complaints(sent, b"GET", True, Answered(plain, cut=True)))
