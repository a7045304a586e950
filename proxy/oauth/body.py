"""Reads an answer's body as a JSON object, or says that it is none: never shows any of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer


def parse(body: bytes) -> Mapping[str, Any] | None:
    """The JSON object that ``body`` holds, or None."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def json_object(answer: Answer, where: str, place: str = "the token endpoint") -> Mapping[str, Any]:
    """The JSON object of an answer from what should be ``place``.

    Raises:
        TokenRequestError: there is none (``unreadable``); tells what came by its media type alone.
    """
    value = parse(answer.body)
    if value is None:
        raise TokenRequestError(
            f"{where} answered {answer.status} with {_kind(answer)} instead of a JSON object;"
            f" is this {place}?",
            failure=Failure.TRANSIENT,
            reason="unreadable",
        )
    return value


def _kind(answer: Answer) -> str:
    if not answer.body:
        return "nothing"
    content = answer.headers.get("content-type", "").lower()
    if "html" in content or answer.body.lstrip()[:1] == b"<":
        return "a web page"
    return f"{len(answer.body)} bytes of something else"
