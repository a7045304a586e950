"""The chunked coding: the same body however the bytes are split, and nothing else is taken."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.chunked import (
    MOST_SIZE_LINE,
    MOST_TRAILERS,
    ChunkedReader,
    encode_chunks,
    encode_end,
)
from proxy.http1.refusal import MessageError

Read = tuple[bytes, list[tuple[bytes, bytes]], bytes, bool]


def read(pieces: list[bytes]) -> Read:
    """The body, the trailers, what came behind, and whether it was whole."""
    reader, body = ChunkedReader(), []
    for number, piece in enumerate(pieces):
        if reader.done:
            return b"".join(body), named(reader), reader.rest + b"".join(pieces[number:]), True
        body += reader.feed(piece)
    return b"".join(body), named(reader), reader.rest, reader.done


def named(reader: ChunkedReader) -> list[tuple[bytes, bytes]]:
    return [(field.name, field.value) for field in reader.trailers]


def cut(message: bytes, places: list[int]) -> list[bytes]:
    ends = [*sorted(place % (len(message) + 1) for place in places), len(message)]
    starts = [0, *ends[:-1]]
    return [message[a:b] for a, b in zip(starts, ends, strict=True)]


SIZES = st.sampled_from([b"%x", b"%X", b"0%x", b"000%x"])
EXTENSIONS = st.sampled_from([b"", b";a", b";a=b", b' ; a="b;c"', b"\t;x=\xe9"])
TRAILERS = st.lists(
    st.tuples(st.sampled_from([b"X-A", b"x-b"]), st.sampled_from([b"1", b"", b"a: b"])), max_size=3
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, Read]:
    """A chunked message in some spelling, with bytes behind it, and what it means."""
    wire, body = [], []
    for piece in draw(st.lists(st.binary(min_size=1, max_size=40), max_size=5)):
        size = draw(SIZES) % len(piece)
        wire += [size, draw(EXTENSIONS), b"\r\n", piece, b"\r\n"]
        body.append(piece)
    trailers, rest = draw(TRAILERS), draw(st.binary(max_size=20))
    wire += [draw(st.sampled_from([b"0", b"000"])), draw(EXTENSIONS), b"\r\n"]
    wire += [name + b":  " + value + b" \r\n" for name, value in trailers]
    wire += [b"\r\n", rest]
    meaning = b"".join(body), [(name.lower(), value) for name, value in trailers], rest, True
    return b"".join(wire), meaning


@given(messages(), st.lists(st.integers(min_value=0), max_size=6))
def test_any_split_of_the_bytes_gives_the_same_body_trailers_and_rest(
    message: tuple[bytes, Read], places: list[int]
) -> None:
    wire, meaning = message
    assert read(cut(wire, places)) == meaning


@given(messages())
@settings(max_examples=30)
def test_byte_by_byte_gives_the_same_body_trailers_and_rest(message: tuple[bytes, Read]) -> None:
    wire, meaning = message
    assert read([wire[i : i + 1] for i in range(len(wire))]) == meaning


@given(messages())
@settings(max_examples=50)
def test_every_beginning_of_a_message_is_not_done_and_no_error(
    message: tuple[bytes, Read],
) -> None:
    wire, (body, _, rest, _) = message
    for end in range(len(wire) - len(rest)):
        got, _, _, done = read([wire[:end]])
        assert not done
        assert body.startswith(got)


@given(st.lists(st.binary(max_size=60), max_size=4))
@settings(max_examples=300)
def test_arbitrary_bytes_raise_nothing_but_message_error(pieces: list[bytes]) -> None:
    with suppress(MessageError):
        read(pieces)


@given(st.binary(max_size=80), st.lists(st.integers(min_value=0), max_size=4))
@settings(max_examples=300)
def test_hostile_bytes_are_judged_alike_however_they_are_split(
    noise: bytes, places: list[int]
) -> None:
    def judged(pieces: list[bytes]) -> Read | str:
        try:
            return read(pieces)
        except MessageError as error:
            return error.detail

    wire = b"3\r\nabc\r\n" + noise
    whole, split = judged([wire]), judged(cut(wire, places))
    assert isinstance(whole, str) == isinstance(split, str)
    if not isinstance(whole, str):
        assert whole == split


HOSTILE = [
    b"\r\n",
    b"x\r\n",
    b"-1\r\n",
    b"+1\r\n",
    b"0x1\r\n",
    b"1_0\r\n",
    b" 1\r\n",
    b"1 \r\n",
    b"1 2\r\n",
    b"1\n",
    b"1\r\r\n",
    b"1;a\nb\r\n",
    b"1;a\x00\r\n",
    b"1;a\rb\r\n",
    b";a\r\n",
    b"1" * 16 + b"\r\n",
    b"f" * 16 + b"\r\n",
    "１\r\n".encode(),
    b"1\r\nabc",
    b"1\r\na\n",
    b"1\r\na\rb",
    b"1\r\na0\r\n\r\n",
    b"0\r\n\n\r\n\r\n",
    b"0\r\nno colon\r\n\r\n",
    b"0\r\n folded: 1\r\n\r\n",
    b"0\r\nA : 1\r\n\r\n",
    b"0\r\nA: 1\r\n B\r\n\r\n",
    b"0\r\nA: \x00\r\n\r\n",
    b"0\r\nA: 1\nB: 2\r\n\r\n",
    b"0\r\n: 1\r\n\r\n",
]


@pytest.mark.parametrize("wire", HOSTILE)
def test_what_two_readers_could_count_differently_is_refused(wire: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        read([wire])
    assert refused.value.status == 400
    with pytest.raises(MessageError):
        read([wire[i : i + 1] for i in range(len(wire))])


def test_a_size_line_that_does_not_end_is_refused_in_bounded_memory() -> None:
    reader = ChunkedReader()
    reader.feed(b"1;")
    for _ in range(MOST_SIZE_LINE // 4 - 1):
        reader.feed(b"aaaa")
    with pytest.raises(MessageError):
        reader.feed(b"aaaa")


def test_trailers_that_do_not_end_are_refused_in_bounded_memory() -> None:
    reader = ChunkedReader()
    reader.feed(b"0\r\n")
    for _ in range(MOST_TRAILERS // 6):
        reader.feed(b"A: b\r\n")
    with pytest.raises(MessageError) as refused:
        reader.feed(b"A: b\r\n")
    assert refused.value.status == 431


def test_a_huge_chunk_is_given_on_as_it_comes_and_never_kept() -> None:
    reader = ChunkedReader()
    reader.feed(b"fffffffffffffff\r\n")
    for _ in range(1000):
        assert reader.feed(b"x" * 1000) == [b"x" * 1000]


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5), TRAILERS)
def test_what_is_written_is_read_again(
    pieces: list[bytes], trailers: list[tuple[bytes, bytes]]
) -> None:
    reader = ChunkedReader()
    reader.feed(b"0\r\n" + b"".join(n + b": " + v + b"\r\n" for n, v in trailers) + b"\r\n")
    wire = encode_chunks(pieces) + encode_end(reader.trailers)
    body, again, rest, done = read([wire])
    assert (body, again, rest, done) == (b"".join(pieces), named(reader), b"", True)
