"""A program asks a control plane over a real socket for what it lends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from proxy.client.running import (
    Lent,
    NobodyThereError,
    OtherConfigurationError,
    RefusedError,
    RunningSidecar,
)
from proxy.control import application
from proxy.control.lending import Lendable, Lendables
from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.plane.guard import Guard
from proxy.plane.hosting import Hosted
from proxy.plane.settings import Address
from proxy.runtime.sockets import bind
from proxy.secret import Secret
from tests.control.conftest import fail, snapshot
from tests.support.provider import refused, slow
from tests.support.world import World

T = TypeVar("T")
IDENTITY = "identity of api"


class Place:
    """A control plane on a Unix socket and on TCP, and time that moves while it is asked."""

    def __init__(self, world: World, unix: Address, tcp: Address) -> None:
        self.world = world
        self.own = RunningSidecar(Path(unix.path))
        self.tcp = ("127.0.0.1", tcp.port)

    async def ask(self, question: Callable[[], T]) -> T:
        task = asyncio.create_task(asyncio.to_thread(question))
        while not task.done():
            await self.world.clock.advance(0.01)
            await asyncio.sleep(0.001)  # for the sockets
        return task.result()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with World() as world, AsyncExitStack() as stack:
        credential = world.credential()
        credential.start()
        lendable = Lendable(credential, IDENTITY, frozenset({"notebook"}))
        now = Lendables({"api": lendable}, hold=10.0)
        keys = {"notebook": Secret("notebook-key")}

        async def count() -> None:
            """Nothing is counted."""

        async def serve(address: Address, clients: dict[str, Secret]) -> Address:
            sockets = bind(address, key="admin")
            if not address.path:
                address = Address("127.0.0.1", sockets[0].getsockname()[1])
            guard = Guard(address, clients=clients)
            runner = application.admin(snapshot, count, lambda: guard, fail, lambda: now)
            hosted = await Hosted.open(runner, sockets)
            stack.push_async_callback(hosted.close)
            return address

        unix = await serve(Address(path=str(tmp_path / "own.sock")), {})
        tcp = await serve(Address("127.0.0.1", 0), keys)
        yield Place(world, unix, tcp)


async def test_a_token_comes_with_all_that_is_to_be_known_of_it(place: Place) -> None:
    lent = await place.ask(lambda: place.own.token("api", identity=IDENTITY))
    assert (lent.field, lent.generation, lent.cookie) == ("access_token", 1, False)
    assert lent.expires_in == pytest.approx(300, abs=60)
    assert lent.token.reveal() not in repr(lent)


async def test_a_rejected_token_is_followed_by_another(place: Place) -> None:
    first = await place.ask(lambda: place.own.token("api"))
    second = await place.ask(lambda: place.own.reject("api", first.generation))
    assert second.generation == first.generation + 1
    assert second.token != first.token


async def test_a_refresh_brings_another(place: Place) -> None:
    await place.ask(lambda: place.own.token("api"))
    assert (await place.ask(lambda: place.own.refresh("api"))).generation == 2


async def test_what_is_forgotten_is_sent_no_more_and_obtained_anew(place: Place) -> None:
    first = await place.ask(lambda: place.own.token("api"))
    assert await place.ask(lambda: place.own.forget("api", identity=IDENTITY)) is True
    second = await place.ask(lambda: place.own.token("api"))
    assert second.token != first.token
    assert second.generation == first.generation + 1


async def test_a_client_over_tcp_may_not_have_a_login_forgotten(place: Place) -> None:
    by_key = RunningSidecar(place.tcp, Secret("notebook-key"))
    before = await place.ask(lambda: by_key.token("api"))
    with pytest.raises(RefusedError, match="our own user"):
        await place.ask(lambda: by_key.forget("api"))
    assert (await place.ask(lambda: by_key.token("api"))).generation == before.generation


async def test_over_tcp_the_key_decides(place: Place) -> None:
    by_key = RunningSidecar(place.tcp, Secret("notebook-key"))
    assert isinstance(await place.ask(lambda: by_key.token("api")), Lent)
    for key in (None, Secret("wrong")):
        with pytest.raises(RefusedError):
            await place.ask(lambda key=key: RunningSidecar(place.tcp, key).token("api"))


async def test_each_refusal_is_told_apart(place: Place) -> None:
    with pytest.raises(RefusedError, match="other"):
        await place.ask(lambda: place.own.token("other"))
    with pytest.raises(OtherConfigurationError, match="reload"):
        await place.ask(lambda: place.own.token("api", identity="another"))
    place.world.provider.script += [slow(), refused()]
    with pytest.raises(CredentialUnavailable):
        await place.ask(lambda: place.own.refresh("api"))
    with pytest.raises(CredentialRefused):
        await place.ask(lambda: place.own.refresh("api"))


async def test_nobody_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(NobodyThereError, match="No such file"):
        RunningSidecar(tmp_path / "absent").token("api")


async def test_the_status_has_all_credentials(place: Place) -> None:
    assert "credentials" in await place.ask(place.own.status)
