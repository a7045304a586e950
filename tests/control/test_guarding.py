from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.control.conftest import Control

TARGETS = ["/healthz", "/readyz", "/metrics", "/v1/status", "/nowhere"]


@pytest.mark.parametrize("target", TARGETS)
async def test_a_foreign_host_is_turned_away_whatever_it_asks_for(
    control: Control, client: aiohttp.ClientSession, target: str
) -> None:
    answer = await client.get(control.admin + target, headers={"Host": "rebound.example.com"})
    assert answer.status == 421
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "http://127.0.0.1:1"])
async def test_a_page_of_another_origin_is_turned_away(
    control: Control, client: aiohttp.ClientSession, origin: str
) -> None:
    answer = await client.get(control.admin + "/v1/status", headers={"Origin": origin})
    assert answer.status == 403


async def test_its_own_origin_may_ask(control: Control, client: aiohttp.ClientSession) -> None:
    answer = await client.get(control.admin + "/v1/status", headers={"Origin": control.admin})
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_request_that_another_site_caused_is_turned_away(
    control: Control, client: aiohttp.ClientSession
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.get(control.admin + "/v1/status", headers=headers)).status == 403


async def test_a_target_with_an_authority_is_no_way_around(control: Control) -> None:
    port = urlsplit(control.admin).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET http://rebound.example.com/v1/status HTTP/1.1\r\nHost: localhost:{port}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 400")
