"""Where a body ends: every pair of rules, and everything two readers could count differently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.fields import parse_field
from proxy.http1.framing import (
    CHUNKED,
    NO_BODY,
    UNTIL_CLOSE,
    Framing,
    Kind,
    of_request,
    of_response,
)
from proxy.http1.refusal import MessageError


def framed(*lines: bytes, minor: int = 1) -> Framing:
    """Judged by our own rules alone: llhttp, which reads heads too, is not asked."""
    return of_request([parse_field(line) for line in lines], minor)


def framed_back(*lines: bytes, status: int = 200, minor: int = 1, to_head: bool = False) -> Framing:
    return of_response([parse_field(line) for line in lines], status, minor, to_head=to_head)


def test_a_request_without_framing_has_no_body() -> None:
    assert framed() == NO_BODY
    assert framed(minor=0) == NO_BODY


@pytest.mark.parametrize("value", [b"0", b"5", b"007", b"1" * 18])
def test_a_length_is_a_plain_number(value: bytes) -> None:
    assert framed(b"Content-Length: " + value) == Framing(Kind.LENGTH, int(value))
    assert framed_back(b"content-length:" + value + b" ") == Framing(Kind.LENGTH, int(value))


BAD_LENGTHS = [
    b"", b"-1", b"+1", b"1.0", b"1,1", b"1, 1", b"0x1", b"1 1", b"1_0", b"abc", b"1e3",
    "１".encode(), b"\xb2", b"1" * 19,
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_LENGTHS)
def test_any_other_length_is_refused(value: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        framed(b"Content-Length: " + value)
    assert refused.value.status == 400
    with pytest.raises(MessageError):
        framed_back(b"Content-Length: " + value)


@pytest.mark.parametrize("second", [b"5", b"6"])
def test_two_lengths_are_refused_even_if_they_agree(second: bytes) -> None:
    lines = (b"Content-Length: 5", b"X: y", b"content-length: " + second)
    for judge in (framed, framed_back):
        with pytest.raises(MessageError):
            judge(*lines)


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"  CHUNKED "])
def test_chunked_in_any_case_is_chunked(coding: bytes) -> None:
    assert framed(b"Transfer-Encoding:" + coding) == CHUNKED
    assert framed_back(b"Transfer-Encoding:" + coding) == CHUNKED


CODINGS = [
    b"gzip", b"identity", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"chunked,",
    b",chunked", b"xchunked", b"chunked;q=1", b'"chunked"', b"chunked gzip", b"\x0bchunked",
    b"chunked\t", b"\tchunked",
]  # fmt: skip


@pytest.mark.parametrize("coding", CODINGS)
def test_any_other_coding_is_refused(coding: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        framed(b"Transfer-Encoding: " + coding)
    assert refused.value.status in {400, 501}
    with pytest.raises(MessageError):
        framed_back(b"Transfer-Encoding: " + coding)


def test_an_unknown_coding_is_told_as_not_implemented() -> None:
    with pytest.raises(MessageError) as refused:
        framed(b"Transfer-Encoding: gzip, chunked")
    assert refused.value.status == 501


def test_two_lines_of_codings_are_refused() -> None:
    for judge in (framed, framed_back):
        with pytest.raises(MessageError):
            judge(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")


@pytest.mark.parametrize("order", [1, -1])
def test_both_framings_at_once_are_refused(order: int) -> None:
    lines = (b"Content-Length: 5", b"Transfer-Encoding: chunked")[::order]
    for judge in (framed, framed_back):
        with pytest.raises(MessageError):
            judge(*lines)


def test_chunks_in_http_1_0_are_refused() -> None:
    with pytest.raises(MessageError):
        framed(b"Transfer-Encoding: chunked", minor=0)
    with pytest.raises(MessageError):
        framed_back(b"Transfer-Encoding: chunked", minor=0)


def test_a_response_without_framing_lasts_until_the_close() -> None:
    assert framed_back() == UNTIL_CLOSE
    assert framed_back(minor=0) == UNTIL_CLOSE


@pytest.mark.parametrize("status", [100, 103, 204, 304])
@pytest.mark.parametrize("lines", [(), (b"Content-Length: 5",), (b"Transfer-Encoding: chunked",)])
def test_1xx_204_and_304_have_no_body_whatever_they_say(
    status: int, lines: tuple[bytes, ...]
) -> None:
    assert framed_back(*lines, status=status) == NO_BODY


def test_the_answer_to_a_head_request_has_no_body_but_its_framing_must_be_sound() -> None:
    assert framed_back(b"Content-Length: 5", to_head=True) == NO_BODY
    assert framed_back(b"Transfer-Encoding: chunked", to_head=True) == NO_BODY
    with pytest.raises(MessageError):
        framed_back(b"Content-Length: 5", b"Transfer-Encoding: chunked", to_head=True)


@given(st.lists(st.sampled_from([*BAD_LENGTHS, b"0", b"7"]), max_size=3),
       st.lists(st.sampled_from([*CODINGS, b"chunked"]), max_size=3),
       st.integers(0, 1))  # fmt: skip
def test_at_most_one_reading_is_ever_given(
    lengths: list[bytes], codings: list[bytes], minor: int
) -> None:
    lines = [b"Content-Length: " + value for value in lengths]
    lines += [b"Transfer-Encoding: " + value for value in codings]
    try:
        framing = framed(*lines, minor=minor)
    except MessageError:
        return
    assert len(lengths) + len(codings) <= 1
    assert framing.kind is (Kind.CHUNKED if codings else Kind.LENGTH if lengths else Kind.NONE)
