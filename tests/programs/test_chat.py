"""The OpenAI client through the sidecar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.programs.lab import Lab
from tests.support.process import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
TARGET = "/v1/openai/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Chat:
    """What the client told, and when the gate saw it leave its two endless answers."""

    told: dict[str, Any]
    left: tuple[float, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chat(lab: Lab) -> Chat:
    gate = lab.gates["api"]
    before = len(gate.left)
    base = f"http://{lab.base}/api{TARGET.removesuffix('/chat/completions')}"
    told = await lab.report(*lab.programs.script("clients", "chat.py"), base)

    def left() -> tuple[float, ...]:
        return tuple(one.at for one in gate.left[before:] if one.target == TARGET)

    async def both() -> bool:
        return len(left()) >= 2

    await until(both, what="the upstream's hearing of both that were left")
    return Chat(told, left())


async def test_completions_are_right_while_three_tokens_come_and_go(chat: Chat) -> None:
    whole = chat.told["whole"]
    assert len(whole["ids"]) == 3
    assert all(one.startswith("token-") for one in whole["ids"])
    assert whole["right"] >= 20


async def test_a_streamed_completion_comes_whole(chat: Chat) -> None:
    assert chat.told["streamed"]["pieces"] > 2000
    assert chat.told["streamed"]["right"] is True


@pytest.mark.parametrize(("number", "way"), [(0, "closed"), (1, "cancelled")])
async def test_the_upstream_hears_within_a_second_that_a_stream_was_left(
    chat: Chat, number: int, way: str
) -> None:
    assert chat.left[number] - chat.told[way] < 1.0


async def test_the_client_s_own_key_never_goes_on(chat: Chat, lab: Lab) -> None:
    assert chat.told["version"]
    asked = [head for head in lab.gates["api"].passed if head.target == TARGET]
    assert len(asked) > 20
    assert all(b"definitely_an_access_token" not in head.raw for head in asked)
