"""The websockets library on both sides of the sidecar."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import pytest_asyncio

from tests.programs.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(lab: Lab) -> dict[str, Any]:
    command = lab.programs.script("clients", "talk.py")
    return await lab.report(*command, f"ws://{lab.base}/echo/", lab.whoami)


async def test_both_sides_agree_on_subprotocol_and_extension(told: dict[str, Any]) -> None:
    assert told["subprotocol"] == "echo"
    assert told["extensions"] == ["permessage-deflate"]


async def test_messages_of_every_size_come_back(told: dict[str, Any]) -> None:
    assert told["binary"] == [True] * 7
    assert told["text"] is True
    assert told["fragmented"] == hashlib.sha256(b"\x00\xff" * 250_000).hexdigest()


async def test_a_ping_is_answered(told: dict[str, Any]) -> None:
    assert told["pong"] is True


async def test_a_connection_outlives_three_tokens(told: dict[str, Any]) -> None:
    assert told["many"]["right"] == told["many"]["requests"] >= 20
    assert len(told["many"]["used"]) == 3


async def test_either_side_ends_it_with_a_code_and_a_reason(told: dict[str, Any]) -> None:
    assert told["ended"] == [4001, "as you wish"]
    assert told["closing"] == [4002, "enough"]


async def test_the_handshake_carries_one_live_token(told: dict[str, Any], lab: Lab) -> None:
    assert told["version"]
    assert len(lab.gates["echo"].passed) == 2
    assert lab.gates["echo"].refused == []
