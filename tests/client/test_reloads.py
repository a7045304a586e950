"""What a sidecar says to a reload, read by the commands."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.client import reloads
from proxy.client.reloads import NoAnswerError


@contextmanager
def answering(path: Path, status: int, body: bytes) -> Iterator[list[bytes]]:
    """Somebody at this socket who answers once, and what they were asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                asked.append(connection.recv(65536))
                head = f"HTTP/1.0 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)

        thread = threading.Thread(target=answer)
        thread.start()
        yield asked
        thread.join()


def test_what_changed_is_told(tmp_path: Path) -> None:
    place = tmp_path / "own.sock"
    with answering(place, 200, b'{"changed": false}') as asked:
        told = reloads.reload([tmp_path / "nobody", place])
    assert told is not None
    assert (told.refused, told.said, told.problems()) == (False, {"changed": False}, ())
    assert asked[0].startswith(b"POST /v1/reload HTTP/1.0\r\n")
    assert b"\r\nX-Token-Sidecar: 1\r\n" in asked[0]


def test_a_refusal_has_its_problems_as_check_prints_them(tmp_path: Path) -> None:
    problems = [
        {"file": "c.yaml", "line": 3, "column": 5, "message": "no"},
        {"message": "listen: in use"},
    ]
    body = json.dumps({"status": 422, "problems": problems}).encode()
    with answering(tmp_path / "own.sock", 422, body) as asked:
        told = reloads.compare([tmp_path / "own.sock"], "new.yaml", "routes: []")
    assert told is not None
    assert told.refused
    assert told.problems() == ("c.yaml:3:5: no", "listen: in use")
    assert asked[0].endswith(b'{"name": "new.yaml", "text": "routes: []"}')


def test_where_nobody_is_that_is_no_answer(tmp_path: Path) -> None:
    stale = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(stale))
    assert reloads.reload([tmp_path / "nobody", stale]) is None


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (503, b'{"detail": "on its way out"}', "503: on its way out"),
        (404, b"<html>", "404: not in our words"),
        (200, b"[]", "200: not in our words"),
    ],
)
def test_another_answer_is_told(tmp_path: Path, status: int, body: bytes, told: str) -> None:
    with (
        answering(tmp_path / "own.sock", status, body),
        pytest.raises(NoAnswerError, match=told),
    ):
        reloads.reload([tmp_path / "own.sock"])


def test_somebody_who_talks_nonsense_is_told_of(tmp_path: Path) -> None:
    place = tmp_path / "own.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()

        def answer() -> None:
            connection, _ = listening.accept()
            connection.recv(65536)
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NoAnswerError, match="does not answer"):
            reloads.reload([place])
        thread.join()
