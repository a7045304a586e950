from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.client.wire import Reply, ask


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """A Unix socket that gives one answer, whatever it is asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def once() -> None:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(65536))
                for byte in answer:
                    connection.sendall(bytes([byte]))

        thread = threading.Thread(target=once)
        thread.start()
        yield asked
        thread.join()


def test_it_asks_as_any_client_would_and_reads_the_whole_answer(tmp_path: Path) -> None:
    with answering(tmp_path / "s", b"HTTP/1.0 503 No\r\nX: y\r\n\r\nwait") as asked:
        assert ask(tmp_path / "s", "/readyz") == Reply(503, {"x": "y"}, b"wait")
    assert asked == [b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n"]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1", b"nonsense and more\r\n\r\n"])
def test_what_is_no_http_is_nobody(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path / "s", answer), pytest.raises(OSError, match="not HTTP"):
        ask(tmp_path / "s", "/healthz")


def test_a_socket_that_is_not_there_is_nobody(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        ask(tmp_path / "s", "/healthz")


def test_an_answer_that_broke_off_is_none(tmp_path: Path) -> None:
    answer = b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{"
    with answering(tmp_path / "s", answer), pytest.raises(OSError, match="broke off"):
        ask(tmp_path / "s", "/healthz")


def test_a_body_goes_with_its_length_and_the_fields_that_were_given(tmp_path: Path) -> None:
    with answering(tmp_path / "s", b"HTTP/1.0 200 OK\r\n\r\n") as asked:
        ask(tmp_path / "s", "/x", method="POST", fields={"X-Key": "k"}, body=b"{}")
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert body == b"{}"
    assert {b"X-Key: k", b"Content-Length: 2"} <= set(head.split(b"\r\n"))


def test_no_reply_shows_its_body() -> None:
    assert "canary" not in repr(Reply(200, {}, b"canary"))
