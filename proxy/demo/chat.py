"""What the demonstration's chat completion says, as the events of an OpenAI-style stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

SAYING: Final = (
    "Not from this program. A sidecar on this machine holds the secret, fetches tokens with it, "
    "renews them before they end and puts one on every request that leaves. You just ask."
)


def events() -> Iterator[bytes]:
    """Server-sent events: one word each, then the end."""
    for word in SAYING.split():
        yield _event({"content": f"{word} "}, None)
    yield _event({}, "stop")
    yield b"data: [DONE]\n\n"


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk: dict[str, Any] = {"object": "chat.completion.chunk", "model": "demo"}
    return b"data: " + json.dumps({**chunk, "choices": [choice]}).encode() + b"\n\n"
