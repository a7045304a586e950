"""A response's body through a relay: the same bytes for any split, and an end that is no guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.chunked import ChunkedReader
from proxy.http1.framing import CHUNKED, NO_BODY, UNTIL_CLOSE, Framing, Kind
from proxy.http1.refusal import MessageError
from proxy.plane.relay import Counted, Relay, relay_for

PIECES = st.lists(st.binary(min_size=1, max_size=20), max_size=6)


def passed(relay: Relay, pieces: list[bytes]) -> bytes:
    return b"".join(relay.feed(piece) for piece in pieces)


def dechunked(wire: bytes) -> bytes:
    reader = ChunkedReader()
    body = b"".join(reader.feed(wire))
    assert reader.done
    assert reader.rest == b""
    return body


@given(PIECES)
def test_a_counted_body_passes_as_it_is(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    relay = relay_for(Framing(Kind.LENGTH, len(whole)), len(whole), chunk=True)
    assert passed(relay, pieces) == whole
    assert relay.done
    assert not relay.excess
    assert relay.taken == len(whole)
    assert relay.close() == b""


@given(PIECES, st.binary(min_size=1, max_size=5))
def test_what_comes_behind_a_counted_body_is_held_back_and_told(
    pieces: list[bytes], more: bytes
) -> None:
    whole = b"".join(pieces)
    relay = relay_for(Framing(Kind.LENGTH, len(whole)), len(whole), chunk=True)
    assert passed(relay, [*pieces, more]) == whole
    assert relay.excess


def test_a_counted_body_that_ends_early_is_broken() -> None:
    relay = Counted(5)
    relay.feed(b"abc")
    assert relay.close() is None


def test_bytes_may_be_counted_unseen_but_never_beyond_the_body() -> None:
    relay = Counted(5)
    assert relay.skip(3)
    assert not relay.skip(3)
    assert relay.skip(2)
    assert relay.done


@given(PIECES, st.lists(st.integers(0, 200), max_size=5), st.booleans())
def test_a_chunked_body_gives_the_same_bytes_however_it_is_split(
    pieces: list[bytes], places: list[int], chunk: bool
) -> None:
    wire = b"".join(b"%x;e\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\nA: b\r\n\r\n"
    ends = [*sorted(min(place, len(wire)) for place in places), len(wire)]
    relay = relay_for(CHUNKED, 0, chunk=chunk)
    split = [wire[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True) if a < b]
    out = passed(relay, split)
    assert (dechunked(out) if chunk else out) == b"".join(pieces)
    assert relay.done
    assert relay.close() == b""
    assert out.endswith(b"0\r\nA: b\r\n\r\n") or not chunk


def test_a_chunked_body_that_ends_early_is_broken() -> None:
    for wire in (b"", b"3\r\nab", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n"):
        relay = relay_for(CHUNKED, 0, chunk=True)
        relay.feed(wire)
        assert not relay.done
        assert relay.close() is None


def test_broken_chunks_are_told() -> None:
    with pytest.raises(MessageError):
        relay_for(CHUNKED, 0, chunk=True).feed(b"x\r\n")


@given(PIECES, st.booleans())
def test_a_body_until_the_close_ends_there_and_only_there(pieces: list[bytes], chunk: bool) -> None:
    relay = relay_for(UNTIL_CLOSE, 0, chunk=chunk)
    out = passed(relay, pieces)
    assert not relay.done
    last = relay.close()
    assert last is not None
    assert relay.done
    assert (dechunked(out + last) if chunk else out + last) == b"".join(pieces)


def test_no_body_is_done_at_once() -> None:
    relay = relay_for(NO_BODY, 0, chunk=True)
    assert relay.done
    assert relay.feed(b"x") == b""
    assert relay.excess
