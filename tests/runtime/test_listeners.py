from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from proxy.errors import StartError
from proxy.plane.settings import Address
from proxy.runtime.binding import Binding, Place
from proxy.runtime.listeners import Listeners
from tests.support.process import free_ports


def places(*keys: str) -> list[Place]:
    ports = free_ports(len(keys))
    return [Place(key, Address("127.0.0.1", port)) for key, port in zip(keys, ports, strict=True)]


def serve(text: str = "hello") -> web.AppRunner:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=text)

    application = web.Application()
    application.router.add_get("/", handle)
    return web.AppRunner(application, shutdown_timeout=0.1)


async def get(at: Place, session: aiohttp.ClientSession) -> str:
    async with session.get(f"http://{at.address}/") as answer:
        return await answer.text()


async def test_an_address_that_stays_keeps_its_connections_over_a_change() -> None:
    listeners = Listeners(Binding())
    stays, goes, comes = places("admin", "admin", "admin")
    wanted = {stays: serve, goes: serve}
    await listeners.change(wanted, listeners.bind(wanted))
    reader, writer = await asyncio.open_connection(stays.address.host, stays.address.port)
    changed = {stays: serve, comes: lambda: serve("new")}
    await listeners.change(changed, listeners.bind(changed))
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert (await reader.read()).endswith(b"hello")
    writer.close()
    await writer.wait_closed()
    async with aiohttp.ClientSession() as session:
        assert await get(comes, session) == "new"
        with pytest.raises(aiohttp.ClientConnectionError):
            await get(goes, session)
    assert set(listeners.places()) == {stays, comes}
    await listeners.close()


async def test_one_address_that_can_not_be_bound_leaves_everything_as_it_was() -> None:
    listeners = Listeners(Binding())
    first, fine = places("admin", "listen")
    await listeners.change({first: serve}, listeners.bind({first: serve}))
    taken = Place("metrics", first.address)
    with pytest.raises(StartError, match="metrics: can't listen"):
        listeners.bind({first: serve, fine: serve, taken: serve})
    listeners.release(listeners.bind({fine: serve}))  # it was given back
    async with aiohttp.ClientSession() as session:
        assert await get(first, session) == "hello"
    await listeners.close()


async def test_only_listeners_of_one_kind_stop_accepting() -> None:
    listeners = Listeners(Binding())
    data, control = places("listen", "admin")
    wanted = {data: serve, control: serve}
    await listeners.change(wanted, listeners.bind(wanted))
    await listeners.stop_accepting(frozenset({"listen", "routes"}))
    async with aiohttp.ClientSession() as session:
        assert await get(control, session) == "hello"
        with pytest.raises(aiohttp.ClientConnectionError):
            await get(data, session)
    await listeners.close()


async def test_the_file_of_a_unix_socket_goes_with_its_listener(tmp_path: Path) -> None:
    path = tmp_path / "s"
    listeners, unix = Listeners(Binding()), Place("listen", Address(path=str(path)))
    await listeners.change({unix: serve}, listeners.bind({unix: serve}))
    assert path.is_socket()
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession(connector=connector) as session:
        assert await (await session.get("http://localhost/")).text() == "hello"
    await listeners.change({}, {})
    assert not path.exists()


async def test_what_is_under_way_at_an_address_that_goes_ends_and_nobody_waits_for_it() -> None:
    listeners = Listeners(Binding())
    (goes,) = places("admin")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="whole")

    def served() -> web.AppRunner:
        application = web.Application()
        application.router.add_get("/", slow)
        return web.AppRunner(application, shutdown_timeout=60.0)

    await listeners.change({goes: served}, listeners.bind({goes: served}))
    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(get(goes, session))
        await begun.wait()
        async with asyncio.timeout(10):
            await listeners.change({}, {})
        assert listeners.places() == ()
        go_on.set()
        assert await asking == "whole"
    await listeners.close()


async def test_the_end_cuts_what_still_runs_at_an_address_that_went() -> None:
    listeners = Listeners(Binding())
    (goes,) = places("admin")
    begun = asyncio.Event()

    async def endless(_: web.Request) -> web.Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    def served() -> web.AppRunner:
        application = web.Application()
        application.router.add_get("/", endless)
        return web.AppRunner(application, shutdown_timeout=0.1)

    await listeners.change({goes: served}, listeners.bind({goes: served}))
    async with aiohttp.ClientSession() as session:
        asking = asyncio.create_task(get(goes, session))
        await begun.wait()
        await listeners.change({}, {})
        async with asyncio.timeout(60):
            await listeners.close()
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_an_address_that_moves_between_keys_of_the_data_plane_stays_open() -> None:
    binding = Binding()
    listeners = Listeners(binding)
    (place,) = places("routes")
    await listeners.change({place: serve}, listeners.bind({place: serve}))
    moved = Place("listen", place.address)
    bound = listeners.bind({moved: serve})
    assert bound == {}
    await listeners.change({moved: lambda: serve("another")}, bound)
    assert listeners.places() == (moved,)
    async with aiohttp.ClientSession() as session:
        assert await get(moved, session) == "hello"
    with pytest.raises(StartError):  # what is served there is another thing
        listeners.bind({Place("admin", place.address): serve})
    await listeners.close()


async def test_a_unix_socket_is_opened_to_others_where_it_stands(tmp_path: Path) -> None:
    listeners = Listeners(Binding())
    before = Place("listen", Address(path=str(tmp_path / "data.sock")))
    after = before._replace(mode=0o666)
    await listeners.change({before: serve}, listeners.bind({before: serve}))
    await listeners.change({after: serve}, listeners.bind({after: serve}))
    path = tmp_path / "data.sock"
    assert path.stat().st_mode & 0o777 == 0o666
    await listeners.close()
    assert not path.exists()
