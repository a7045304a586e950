from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from proxy.runtime.workers.lines import AT_ONCE, WholeLines, piece


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"") + b"\n")))
def test_pieces_are_whole_lines_and_nothing_is_lost(lines: list[bytes]) -> None:
    data, pieces = b"".join(lines), []
    while data:
        size = piece(data, 40)
        pieces.append(data[:size])
        data = data[size:]
    assert b"".join(pieces) == b"".join(lines)
    assert all(one.endswith(b"\n") and len(one) <= 40 for one in pieces)


def test_a_line_longer_than_a_pipe_takes_at_once_goes_by_itself() -> None:
    long = b"x" * 100 + b"\n"
    assert piece(b"a\n" + long, 40) == 2
    assert piece(long + b"a\n", 40) == len(long)


def test_everything_arrives_in_order(tmp_path: Path) -> None:
    text = "".join(f"line {number} é\n" for number in range(AT_ONCE))
    with (tmp_path / "log").open("wb") as file:
        WholeLines(file.fileno()).write(text)
    assert (tmp_path / "log").read_text() == text


def test_nobody_reading_the_log_any_more_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    WholeLines(writing).write("to nobody\n")
    os.close(writing)
