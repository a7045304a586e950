from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.runtime.workers.frames import LENGTH, MOST, FrameError, Frames, frame

SAID = st.dictionaries(st.text(), st.integers() | st.text() | st.floats(allow_nan=False)).map(
    lambda said: {**said, "kind": "any"}
)


@given(st.lists(st.tuples(SAID, st.binary(max_size=40)), max_size=4), st.data())
def test_any_split_of_the_bytes_gives_the_same_frames(
    told: list[tuple[dict[str, object], bytes]], data: st.DataObject
) -> None:
    sent = b"".join(frame(said, blob) for said, blob in told)
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=8).map(sorted))
    frames, heard = Frames(), []
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        heard += list(frames.feed(sent[start:end]))
    assert heard == told


def test_one_byte_after_another_gives_the_same_frames() -> None:
    frames, heard = Frames(), []
    for byte in frame({"kind": "a"}, b"\n\x00") + frame({"kind": "b"}):
        heard += list(frames.feed(bytes([byte])))
    assert heard == [({"kind": "a"}, b"\n\x00"), ({"kind": "b"}, b"")]


@pytest.mark.parametrize(
    "sent",
    [
        LENGTH.pack(MOST + 1),
        LENGTH.pack(2) + b"[]",
        LENGTH.pack(2) + b"{}",
        LENGTH.pack(10) + b'{"kind":1}',
        LENGTH.pack(1) + b"x",
        LENGTH.pack(0),
        LENGTH.pack(4) + b"\x80\x04N.",
    ],
)
def test_what_is_no_frame_of_ours_is_refused(sent: bytes) -> None:
    with pytest.raises(FrameError):
        list(Frames().feed(sent))
