"""Small HTTP requests to this machine, as the demonstration itself makes them.

Blocking and bounded; called from a thread. No proxy of the environment is ever asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

TIMEOUT: Final = 5.0
LARGEST: Final = 1 << 20


class CallError(Exception):
    """No answer, or none that can be read."""


def call(
    method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """The answer's status and body.

    Raises:
        CallError: none came within five seconds.
    """
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=TIMEOUT)
    try:
        connection.request(method, parts.path, body=body or None, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read(LARGEST)
    except (OSError, HTTPException) as error:
        raise CallError(f"{method} {url}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()


def get_json(url: str) -> Any:
    """A JSON document.

    Raises:
        CallError: no 200, or no JSON.
    """
    status, body = call("GET", url)
    try:
        if status == 200:
            return json.loads(body)
    except ValueError as error:
        raise CallError(f"GET {url}: no JSON") from error
    raise CallError(f"GET {url}: status {status}")
