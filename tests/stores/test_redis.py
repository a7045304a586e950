"""The store in a real Redis: what is in it, who may save, and what happens when it is not there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.clock import SystemClock
from proxy.config.model import Tls
from proxy.errors import StoreError
from proxy.stores.key import Key
from proxy.stores.redis.names import names
from proxy.stores.redis.store import BEYOND, RedisStore
from proxy.tokens.ports import Entry
from tests.support.certificates import Authority
from tests.support.process import free_port, free_ports, until
from tests.support.redis_server import RedisServer, redis_server, redis_store
from tests.support.stores import KEY, full_entry

CLOCK = SystemClock()
Open = Callable[..., RedisStore]
ALLOWED = (
    "~token-sidecar:*",
    "&token-sidecar:changed",
    *("+eval", "+get", "+set", "+del", "+hget", "+hmget", "+hset", "+pexpire", "+persist"),
    *("+publish", "+subscribe", "+ping", "+client|setname", "+select"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of the test's own."""
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens a store at a server; all are closed in the end."""
    async with AsyncExitStack() as stack:

        def open_it(server: RedisServer, **more: object) -> RedisStore:
            options = {"key": KEY, "place": server.place} | more
            store = redis_store(options.pop("place"), CLOCK, **options)  # type: ignore[arg-type]
            stack.push_async_callback(store.close)
            return store

        yield open_it


@pytest.fixture(autouse=True)
def empty(server: RedisServer) -> None:
    server.ask("FLUSHALL")


async def put(store: RedisStore, entry: Entry, identity: str = "one") -> None:
    async with store.lock(identity):
        await store.load(identity)
        await store.save(identity, entry)


def key(server: RedisServer, ending: str) -> str:
    return server.ask("KEYS", f"token-sidecar:*:{ending}")


async def generation(store: RedisStore) -> int:
    return (await store.load("one")).generation


async def test_no_secret_and_no_identity_stands_in_redis(
    server: RedisServer, opened: Open, tmp_path: Path
) -> None:
    async with (store := opened(server)).lock("canary-identity"):
        await store.save("canary-identity", full_entry(CLOCK))
        server.ask("--rdb", str(tmp_path / "dump"))
        names = server.ask("KEYS", "*")
    dump = (tmp_path / "dump").read_bytes()
    assert len(dump) > 300
    assert b"canary" not in dump
    assert len(names.split()) == 3
    assert "canary" not in names


async def test_a_key_outlives_its_refresh_token_by_a_day(server: RedisServer, opened: Open) -> None:
    store, entry = opened(server), full_entry(CLOCK)
    await put(store, entry)
    left = int(server.ask("PTTL", key(server, "entry"))) / 1000
    assert left == pytest.approx(1e6 + BEYOND, abs=30)
    await put(store, replace(entry, refresh=None))
    left = int(server.ask("PTTL", key(server, "entry"))) / 1000
    assert left == pytest.approx(300 + BEYOND, abs=30)
    assert entry.refresh is not None
    await put(store, replace(entry, refresh=replace(entry.refresh, expires=None)))
    assert server.ask("PTTL", key(server, "entry")) == "-1"


async def test_moments_are_the_wall_clocks_alone(server: RedisServer, opened: Open) -> None:
    entry = full_entry(CLOCK)
    assert entry.token is not None
    await put(opened(server), entry)
    found = (await opened(server).load("one")).token
    assert found is not None
    assert found.expires is not None
    assert found.expires.wall == entry.token.expires.wall  # type: ignore[union-attr]
    assert found.expires.monotonic == pytest.approx(entry.token.expires.monotonic, abs=0.1)  # type: ignore[union-attr]


async def test_an_entry_under_another_key_stays_as_it_is(server: RedisServer, opened: Open) -> None:
    await put(opened(server), full_entry(CLOCK))
    stranger = opened(server, key=Key(bytes(32), "the new key"))
    with pytest.raises(StoreError, match=f"127.0.0.1:{server.port}: token-.* another key than the"):
        async with stranger.lock("one"):
            await stranger.load("one")
    assert await generation(opened(server)) == 7


async def test_a_damaged_entry_is_told_of_and_begun_anew(server: RedisServer, opened: Open) -> None:
    told = list[str]()
    store = opened(server, told=told.append)
    await put(store, full_entry(CLOCK))
    server.ask("HSET", key(server, "entry"), "sealed", "garbage")
    assert await store.load("one") == Entry()
    assert "was damaged" in told[0]
    await put(store, full_entry(CLOCK, 8))
    assert await generation(store) == 8


async def test_a_dead_owners_lease_ends_by_itself(server: RedisServer, opened: Open) -> None:
    await opened(server)._server.take(names("one"), "dead")
    assert 9000 < int(server.ask("PTTL", key(server, "lease"))) <= 10_000
    server.ask("PEXPIRE", key(server, "lease"), "50")
    async with asyncio.timeout(60):
        await put(opened(server), full_entry(CLOCK))


async def test_a_stalled_owners_late_save_is_refused_by_its_fence(
    server: RedisServer, opened: Open
) -> None:
    stalled, other = opened(server), opened(server)
    async with stalled.lock("one"):
        await stalled.load("one")
        server.ask("DEL", key(server, "lease"))
        await put(other, full_entry(CLOCK, 8))
        with pytest.raises(StoreError, match="the lease was lost to another process"):
            await stalled.save("one", full_entry(CLOCK, 9))
    assert await generation(stalled) == await generation(other) == 8


async def test_one_who_holds_the_next_lease_is_not_disturbed(
    server: RedisServer, opened: Open
) -> None:
    stalled, other = opened(server), opened(server)
    async with stalled.lock("one"):
        server.ask("DEL", key(server, "lease"))
        async with other.lock("one"):
            with pytest.raises(StoreError, match="lost"):
                await stalled.save("one", full_entry(CLOCK, 9))
            await other.save("one", full_entry(CLOCK, 8))
    assert await generation(other) == 8


async def test_a_lease_that_ran_out_unused_by_others_may_still_save(
    server: RedisServer, opened: Open
) -> None:
    store = opened(server)
    async with store.lock("one"):
        server.ask("DEL", key(server, "lease"))
        await store.save("one", full_entry(CLOCK, 9))
    assert await generation(store) == 9


async def test_fences_grow_over_all_that_happens(server: RedisServer, opened: Open) -> None:
    fences = list[int]()
    for _ in range(3):
        store = opened(server)
        async with store.lock("one"):
            fences.append(store._leases["one"].fence)
            await store.save("one", full_entry(CLOCK))
        server.ask("DEL", key(server, "fence"))
    assert fences == [1, 2, 3]


async def test_others_know_of_a_save_within_100_ms(server: RedisServer, opened: Open) -> None:
    one, other, heard = opened(server), opened(server), asyncio.Event()
    await listening(other, heard)
    async with one.lock("one"):
        await one.save("one", full_entry(CLOCK))
        saved = time.monotonic()
    await asyncio.wait_for(heard.wait(), 60)
    assert time.monotonic() - saved < 0.1


async def listening(store: RedisStore, heard: asyncio.Event) -> None:
    store.watch("one", heard.set)
    await asyncio.wait_for(heard.wait(), 60)
    heard.clear()


async def test_without_redis_it_is_told_what_is_wrong_and_it_comes_back(
    mortal: RedisServer, opened: Open
) -> None:
    store, heard = opened(mortal), asyncio.Event()
    await put(store, full_entry(CLOCK))
    await listening(store, heard)
    mortal.kill()
    await asyncio.wait_for(heard.wait(), 60)
    with pytest.raises(StoreError, match=rf"^Redis at 127.0.0.1:{mortal.port} can't be reached"):
        await store.load("one")
    assert store.fault is not None
    with pytest.raises(StoreError, match="can't be reached"):
        await put(store, full_entry(CLOCK))
    mortal.start()
    heard.clear()
    await asyncio.wait_for(heard.wait(), 60)
    await put(store, full_entry(CLOCK, 8))
    assert store.fault is None


async def test_a_redis_that_lost_everything_has_it_again_with_the_next_save(
    mortal: RedisServer, opened: Open
) -> None:
    store, entry = opened(mortal), full_entry(CLOCK)
    await put(store, entry)
    mortal.kill()
    mortal.start()
    assert await opened(mortal).load("one") == Entry()
    async with store.lock("one"):
        found = await store.load("one")
        assert found == entry
        await store.save("one", replace(found, generation=8))
    assert (await opened(mortal).load("one")).refresh is not None
    await put(store, Entry(generation=9))
    mortal.ask("FLUSHALL")
    assert await store.load("one") == Entry(generation=9)


async def test_what_cannot_be_written_is_kept_and_written_when_redis_answers(
    mortal: RedisServer, opened: Open
) -> None:
    told = list[str]()
    store = opened(mortal, told=told.append)
    async with store.lock("one"):
        await store.load("one")
        mortal.pause()
        await store.save("one", full_entry(CLOCK, 2))
        assert await generation(store) == 2
        assert "does not have the newest token yet" in str(store.fault)
    with pytest.raises(StoreError, match="still can't take the newest token"):
        await put(store, full_entry(CLOCK, 3))
    mortal.go_on()
    await until(lambda: _is(store.fault is None), what="writing late")
    assert await generation(opened(mortal)) == 2
    assert [("does not answer in time" in one, "answers again" in one) for one in told] == [
        (True, False),
        (False, True),
    ]
    await put(opened(mortal), full_entry(CLOCK, 4))


async def test_what_is_written_late_never_replaces_what_another_got(
    mortal: RedisServer, opened: Open
) -> None:
    told = list[str]()
    store, other = opened(mortal, told=told.append), opened(mortal)
    async with store.lock("one"):
        mortal.pause()
        await store.save("one", full_entry(CLOCK, 2))
        mortal.go_on()
        mortal.ask("DEL", key(mortal, "lease"))
        await put(other, full_entry(CLOCK, 5))
    await until(lambda: _is(store.fault is None), what="giving up")
    assert await generation(store) == await generation(other) == 5
    assert "another process has renewed meanwhile" in told[-1]


async def test_a_mark_that_cannot_be_written_ends_the_try(
    mortal: RedisServer, opened: Open
) -> None:
    store, entry = opened(mortal), full_entry(CLOCK)
    await put(store, entry)
    async with store.lock("one"):
        entry = await store.load("one")
        mortal.pause()
        with pytest.raises(StoreError, match="does not answer in time"):
            await store.save("one", replace(entry, rejected=7))
        mortal.go_on()


async def test_a_wrong_password_is_told_and_not_shown(server: RedisServer, opened: Open) -> None:
    place = replace(server.place, username="sidecar")
    server.ask("ACL", "SETUSER", "sidecar", "reset", "on", ">right", *ALLOWED)
    store = opened(server, place=place, password="canary-wrong")
    with pytest.raises(StoreError, match="refuses the user or the password") as caught:
        await store.load("one")
    assert "canary" not in f"{caught.value!r}{caught.value.__cause__}{store._server.__dict__}"
    right, heard = opened(server, place=place, password="right"), asyncio.Event()
    await listening(right, heard)
    await put(right, full_entry(CLOCK))
    await asyncio.wait_for(heard.wait(), 60)
    server.ask("ACL", "SETUSER", "sidecar", "-eval")
    with pytest.raises(StoreError, match=r"NOPERM.*docs/store\.md"):
        await put(right, full_entry(CLOCK))
    assert await generation(right) == 7


async def test_tls_is_trusted_as_configured(tmp_path: Path, opened: Open) -> None:
    authority, other = Authority(tmp_path), Authority(_made(tmp_path / "other"))
    pair, port = authority.issue("127.0.0.1"), free_port()
    files = ("--tls-cert-file", str(pair.cert_file), "--tls-key-file", str(pair.key_file))
    ours = ("--tls-ca-cert-file", str(authority.ca_file))
    with redis_server(tmp_path, "--tls-port", str(port), *files, *ours) as server:
        place = replace(server.place, hosts=(("127.0.0.1", port),), secure=True)
        tls = Tls(authority.ca_file, cert_file=pair.cert_file, key_file=pair.key_file)
        await put(opened(server, place=place, tls=tls), full_entry(CLOCK))
        assert await generation(opened(server)) == 7
        for wrong in (replace(tls, ca_file=other.ca_file), Tls(authority.ca_file)):
            with pytest.raises(StoreError, match="can't be reached"):
                await opened(server, place=place, tls=wrong).load("one")


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


async def _is(value: bool) -> bool:
    return value


async def test_sentinels_name_the_next_primary(tmp_path: Path, opened: Open) -> None:
    with redis_server(_made(tmp_path / "a")) as first, redis_server(_made(tmp_path / "b")) as next_:
        next_.ask("REPLICAOF", "127.0.0.1", str(first.port))
        with redis_server(_made(tmp_path / "s"), sentinel=True) as sentinel:
            watch(sentinel, first)
            hosts = (("127.0.0.1", free_port()), ("127.0.0.1", sentinel.port))
            place = replace(sentinel.place, kind="sentinel", hosts=hosts, service="main")
            store, heard = opened(sentinel, place=place), asyncio.Event()
            await put(store, full_entry(CLOCK))
            await listening(store, heard)
            await until(lambda: _is(bool(key(next_, "entry"))), what="the replica's copy")
            await until(lambda: _knows(sentinel, next_), deadline=60, what="Sentinel's replica")
            first.kill()
            await until(lambda: _next(sentinel, next_), deadline=60, what="the failover")
            await until(lambda: _saved(store), deadline=60, what="a save at the next primary")
            assert await generation(opened(next_)) == 8


def watch(sentinel: RedisServer, primary: RedisServer) -> None:
    """One Sentinel decides alone, and soon."""
    sentinel.ask("SENTINEL", "MONITOR", "main", "127.0.0.1", str(primary.port), "1")
    sentinel.ask("SENTINEL", "SET", "main", "down-after-milliseconds", "300")
    sentinel.ask("SENTINEL", "SET", "main", "failover-timeout", "3000")


async def _knows(sentinel: RedisServer, replica: RedisServer) -> bool:
    """It looks for replicas every ten seconds; without one there is no failover."""
    return str(replica.port) in sentinel.ask("SENTINEL", "REPLICAS", "main").split()


async def _next(sentinel: RedisServer, replica: RedisServer) -> bool:
    """Whether the replica is the primary now; asks for it until then.

    Sentinel has the replica cut every client off when it makes it the primary, ours too.
    """
    sentinel.ask("SENTINEL", "FAILOVER", "main", check=False)
    return replica.ask("ROLE", check=False).startswith("master")


async def _saved(store: RedisStore) -> bool:
    try:
        await put(store, full_entry(CLOCK, 8))
    except StoreError:
        return False
    return True


async def test_a_cluster_keeps_each_entry_where_it_belongs(tmp_path: Path, opened: Open) -> None:
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                redis_server(
                    _made(tmp_path / str(number)),
                    *("--cluster-enabled", "yes", "--cluster-port", str(port)),
                )
            )
            for number, port in enumerate(free_ports(3))
        ]
        addresses = [f"127.0.0.1:{node.port}" for node in nodes]
        nodes[0].ask("--cluster", "create", *addresses, "--cluster-yes")
        await until(lambda: _whole(nodes), what="the cluster")
        hosts = (("127.0.0.1", free_port()), ("127.0.0.1", nodes[1].port))
        place = replace(nodes[0].place, kind="cluster", hosts=hosts)
        store, heard = opened(nodes[0], place=place), asyncio.Event()
        await listening(store, heard)
        other = opened(nodes[0], place=place)
        for identity in ("one", "two", "three", "four", "five", "six"):
            await put(other, full_entry(CLOCK), identity)
            assert (await store.load(identity)).generation == 7
        await asyncio.wait_for(heard.wait(), 60)
        assert [bool(key(node, "entry")) for node in nodes] == [True] * 3


async def _whole(nodes: list[RedisServer]) -> bool:
    return all("cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in nodes)
