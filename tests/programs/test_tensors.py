"""Triton's client through the sidecar to KServe's model server, with binary tensors."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.programs.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(lab: Lab) -> dict[str, Any]:
    command = lab.programs.script("clients", "tensors.py")
    return await lab.report(*command, f"{lab.base}/tensors", lab.whoami)


async def test_server_and_model_are_found(told: dict[str, Any]) -> None:
    assert (told["live"], told["ready"], told["model"]) == (True, True, "double")


async def test_binary_tensors_of_every_type_come_back_right(told: dict[str, Any]) -> None:
    assert told["doubled"] == {"FP32": True, "FP64": True, "INT64": True, "UINT8": True}


async def test_every_inference_is_right_while_three_tokens_come_and_go(
    told: dict[str, Any], lab: Lab
) -> None:
    assert told["many"]["right"] == told["many"]["requests"] >= 20
    assert len(told["many"]["used"]) == 3
    assert lab.gates["tensors"].refused == []
    assert len(lab.gates["tensors"].tokens) >= 2


async def test_nothing_is_added_to_a_request_without_a_content_type(
    told: dict[str, Any], lab: Lab
) -> None:
    assert told["version"]
    binary = [
        head for head in lab.gates["tensors"].passed if head.all("Inference-Header-Content-Length")
    ]
    assert len(binary) >= 20
    assert all(head.all("Content-Type") == [] for head in binary)
