"""What every HTTP client here does through the sidecar, and its report as JSON: ``exercise.py
NAME BASE``.

The report says what the client saw, never whether that is right; the tests judge it. It runs on
the programs' own Python, next to the client it is for.
"""

import contextlib
import gzip
import hashlib
import importlib
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

OTHERS = {"Authorization": "Bearer definitely_an_access_token"}
"""What clients send that do not know of the sidecar."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; ``body`` is decoded as the client does it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Client(Protocol):
    """One HTTP client.

    Attributes:
        version: its own.
        opened: how many connections it has opened so far.
    """

    version: str
    opened: int

    def send(
        self, method: str, url: str, body: bytes | Iterator[bytes] | None, headers: dict[str, str]
    ) -> Answer:
        """One request to its end; an iterator is sent without a length; redirects are followed."""

    def stream(self, url: str) -> contextlib.AbstractContextManager[Iterator[bytes]]:
        """The lines of an answer as they come; leaving the block leaves the answer where it is."""

    def poll(self, url: str) -> Iterator[Answer]:
        """The same question again and again, about 50 a second at most."""


def pattern(size: int) -> bytes:
    """The body that every program here sends and expects."""
    return bytes(itertools.islice(itertools.cycle(range(251)), size))


def pieces(body: bytes, size: int = 10_007) -> Iterator[bytes]:
    """A body bit by bit."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


class Exercise:
    """Everything that is tried."""

    def __init__(self, client: Client, base: str) -> None:
        self._client = client
        self._base = base
        self._id = f"{type(client).__module__}-{os.getpid()}"

    def report(self) -> dict[str, Any]:
        """Do it all."""
        said = self._said
        report = {
            "version": self._client.version,
            "hello": said("GET", "hello", field="X-Own"),
            "missing": said("GET", "missing"),
            "target": said("GET", "target/a%2Fb;c?dataset%5B%5D=%2A&dataset.separator=."),
            "echo": [self._echoed(size) for size in (0, 65536, (3 << 20) + 1)],
            "chunked": self._checked("POST", "echo", pieces(pattern(2 << 20)), field="X-Framing"),
            "gzip": self._checked("GET", "gzip"),
            "head": self._head(),
            "redirect": self._checked("POST", "redirect", pattern(65536)),
        }
        report["stream"], report["tokens"] = self._stream()
        return report | {"left": self._left()}

    def _send(self, method: str, path: str, body: Any = None) -> Answer:
        return self._client.send(method, self._base + path, body, OTHERS)

    def _said(self, method: str, path: str, *, field: str = "") -> list[Any]:
        answer = self._send(method, path)
        return _reported(answer, answer.body.decode(), field)

    def _checked(self, method: str, path: str, body: Any = None, *, field: str = "") -> list[Any]:
        answer = self._send(method, path, body)
        return _reported(answer, hashlib.sha256(answer.body).hexdigest(), field)

    def _echoed(self, size: int) -> list[Any]:
        return self._checked("POST", "echo", pattern(size), field="X-Framing")

    def _head(self) -> list[Any]:
        answer = self._send("HEAD", "hello")
        return [answer.status, len(answer.body), answer.headers.get("Content-Length")]

    def _stream(self) -> tuple[list[str], dict[str, Any]]:
        """Three tokens come and go between the first event and the second."""
        with self._client.stream(f"{self._base}stream?id={self._id}") as lines:
            filled = (line.decode().strip() for line in lines if line.strip())
            events = [next(filled)]
            used = self._tokens()
            for _ in range(2):
                self._acknowledge()
                events.append(next(filled))
            self._acknowledge()
            return [*events, "".join(filled)], used

    def _acknowledge(self) -> None:
        self._send("POST", f"ack?id={self._id}")

    def _tokens(self) -> dict[str, Any]:
        """Ask until three different tokens were used."""
        opened, used = self._client.opened, set()
        requests = 0
        for answer in self._client.poll(self._base + "whoami"):
            requests += 1
            used.add(f"{answer.status} {answer.body.decode()}")
            if len(used) == 3:
                break
        opened = self._client.opened - opened
        return {"used": sorted(used), "requests": requests, "opened": opened}

    def _left(self) -> float:
        """The moment when an answer without an end was left."""
        with self._client.stream(self._base + "endless") as lines:
            next(lines)
            return time.time()


def _reported(answer: Answer, body: str, field: str) -> list[Any]:
    return [answer.status, body, *([answer.headers.get(field)] if field else [])]


def again(client: Client, url: str) -> Iterator[Answer]:
    """``poll`` for clients that have nothing special for it."""
    while True:
        yield client.send("GET", url, None, OTHERS)
        time.sleep(0.02)


def unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """For clients that leave gzip to their user."""
    return gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


if __name__ == "__main__":
    client = importlib.import_module(f"with_{sys.argv[1]}").Client()
    print(json.dumps(Exercise(client, sys.argv[2]).report()))
