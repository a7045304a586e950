"""What HTTP clients that the world uses see through the sidecar while tokens come and go."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.programs.body import checksum
from tests.programs.gate import Left
from tests.programs.lab import Lab
from tests.support.process import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENTS = ("curl", "requests", "httpx", "aiohttp", "go", "fetch")


@dataclass(frozen=True, slots=True)
class Run:
    """One client's whole exercise; ``left`` is how the gate saw it leave the endless answer."""

    told: dict[str, Any]
    left: Left
    tokens: int
    connections: int
    seconds: float


def command(lab: Lab, client: str) -> tuple[str, ...]:
    base = f"http://{lab.base}/api/v1/"
    match client:
        case "go":
            return (lab.programs["go-client"], base)
        case "fetch":
            return (*lab.programs.script("clients", "fetch.mjs"), base)
        case _:
            return (*lab.programs.script("clients", "exercise.py"), client, base)


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=CLIENTS)
async def run(lab: Lab, request: pytest.FixtureRequest) -> Run:
    gate, started = lab.gates["api"], time.monotonic()
    before, connections, asked = len(gate.left), gate.connections, lab.provider.asked
    told = await lab.report(*command(lab, request.param))

    def endless() -> list[Left]:
        return [one for one in gate.left[before:] if one.target.endswith("/endless")]

    async def heard() -> bool:
        return bool(endless())

    await until(heard, what="the upstream's hearing that the client has left")
    return Run(
        told,
        endless()[0],
        lab.provider.asked - asked,
        gate.connections - connections,
        time.monotonic() - started,
    )


async def test_answers_are_the_upstream_s(run: Run) -> None:
    assert run.told["hello"] == [200, "hello", "kept"]
    assert run.told["missing"] == [404, "nothing here"]
    assert run.told["head"] == [200, 0, "5"]


async def test_the_target_arrives_as_it_was_sent(run: Run) -> None:
    target = "/v1/target/a%2Fb;c?dataset%5B%5D=%2A&dataset.separator=."
    assert run.told["target"] == [200, target]


async def test_bodies_of_every_size_and_framing_go_there_and_back(run: Run) -> None:
    sizes = (0, 65536, (3 << 20) + 1)
    assert run.told["echo"] == [[200, checksum(size), "length"] for size in sizes]
    assert run.told["chunked"] == [200, checksum(2 << 20), "chunked"]


async def test_a_compressed_answer_is_decoded_by_the_client_only(run: Run) -> None:
    assert run.told["gzip"] == [200, checksum(1 << 20)]


async def test_a_redirected_body_is_sent_again_by_the_client(run: Run) -> None:
    assert run.told["redirect"] == [200, checksum(65536)]


async def test_events_come_one_by_one_while_three_tokens_come_and_go(run: Run) -> None:
    assert run.told["stream"] == ["data: 1", "data: 2", "data: 3", ""]


async def test_every_request_has_a_live_token_whatever_the_client_sent(run: Run, lab: Lab) -> None:
    used = run.told["tokens"]["used"]
    assert len(used) == 3
    assert all(one.startswith("200 token-") for one in used)
    assert lab.gates["api"].refused == []
    assert run.tokens <= run.seconds / (0.6 * lab.provider.lifetime) + 2


async def test_the_client_keeps_its_connection_across_tokens(run: Run) -> None:
    assert run.told["tokens"]["requests"] >= 20
    assert run.told["tokens"]["opened"] <= 1


async def test_few_connections_to_the_upstream_are_enough(run: Run) -> None:
    """Each way that something is cut short may cost one; requests one after the other do not."""
    assert run.connections <= 4


async def test_the_upstream_hears_within_a_second_that_the_client_has_left(run: Run) -> None:
    assert run.left.at - run.told["left"] < 1.0
