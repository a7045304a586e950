"""The exercise with requests (urllib3)."""

import contextlib
from collections.abc import Iterator

import requests
from exercise import Answer, again


class Client:
    """One session."""

    version = requests.__version__

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def opened(self) -> int:
        pools = self._session.get_adapter("http://").poolmanager.pools
        return sum(pools[key].num_connections for key in pools.keys())  # noqa: SIM118 - no mapping

    def send(self, method, url, body, headers) -> Answer:
        answer = self._session.request(
            method, url, data=body, headers=headers, allow_redirects=True, timeout=30
        )
        return Answer(answer.status_code, answer.content, answer.headers)

    @contextlib.contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        with self._session.get(url, stream=True, timeout=30) as answer:
            yield answer.iter_lines(chunk_size=None)

    def poll(self, url: str) -> Iterator[Answer]:
        return again(self, url)
