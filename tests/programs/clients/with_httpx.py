"""The exercise with httpx (httpcore)."""

import contextlib
from collections.abc import Iterator

import httpx
from exercise import Answer, again


class Client:
    """One client; its connections are counted as httpcore tells of them."""

    version = httpx.__version__

    def __init__(self) -> None:
        self.opened = 0
        self._client = httpx.Client(follow_redirects=True, timeout=30, trust_env=False)

    def _trace(self, event: str, _: object) -> None:
        self.opened += event == "connection.connect_tcp.complete"

    def send(self, method, url, body, headers) -> Answer:
        answer = self._client.request(
            method, url, content=body, headers=headers, extensions={"trace": self._trace}
        )
        return Answer(answer.status_code, answer.content, answer.headers)

    @contextlib.contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        with self._client.stream("GET", url) as answer:
            yield (line.encode() for line in _lines(answer))

    def poll(self, url: str) -> Iterator[Answer]:
        return again(self, url)


def _lines(answer: httpx.Response) -> Iterator[str]:
    if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        return answer.iter_lines()
    return (str(piece) for piece in answer.iter_raw())
