"""A small fleet on one real Redis, in simulated time: the rules behind `make fleet`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.fleet.graph import svg
from bench.fleet.provider import Limit
from bench.fleet.scenarios import failover, herd, ordinary_hour
from bench.fleet.stores import Alone, OneRedis
from tests.support.redis_server import redis_server

COUNT = 12


@pytest.fixture(scope="module")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneRedis]:
    directory: Path = tmp_path_factory.mktemp("redis")
    with redis_server(directory) as server:
        yield OneRedis(server)


async def test_many_sidecars_ask_as_often_as_one(one_redis: OneRedis) -> None:
    requests, _ = await ordinary_hour(one_redis, COUNT)
    assert 3600 / 300 < requests <= 3600 / (0.6 * 300) + 2


async def test_without_a_shared_store_each_of_them_asks() -> None:
    requests, _ = await ordinary_hour(Alone(), COUNT)
    assert requests > COUNT * 3600 / 300


async def test_a_herd_at_the_start_is_one_token_request(one_redis: OneRedis) -> None:
    found = await herd(one_redis, COUNT, Limit(rate=1.0, burst=1))
    assert (found.requests, found.refused) == (1, 0)
    assert found.seconds < 3.0


async def test_without_redis_a_full_grant_goes_on_alone_and_apart(one_redis: OneRedis) -> None:
    found = await failover(one_redis, COUNT, lifetime=60.0, seconds=30.0)
    assert found.unserved == 0
    assert found.requests == COUNT
    assert found.peak < COUNT / 2


async def test_without_redis_a_rotating_refresh_token_is_not_touched(one_redis: OneRedis) -> None:
    found = await failover(one_redis, COUNT, lifetime=60.0, seconds=30.0, rotating=True)
    assert (found.requests, found.unserved, found.lost) == (0, 0, False)
    assert found.settled >= 1


def test_the_graph_is_a_picture() -> None:
    drawn = svg("a title & more", "across", "up", {"one": [(1, 18), (500, 9000)]})
    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
