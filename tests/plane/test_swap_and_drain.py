"""A new configuration while requests run, and the orderly end of everything."""

from __future__ import annotations

import asyncio
import socket

from proxy.plane.door import LATECOMERS
from proxy.plane.settings import Address
from proxy.secret import Secret
from tests.support.plane import round_trips, route_to, serving, settings_with
from tests.support.wire import DEADLINE, OK, Origin, Wire, origin, until

GET = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_after_a_swap_the_next_request_takes_the_new_route(upstream: Origin) -> None:
    async with origin() as other, serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        new = route_to(other.port, "/", "/new/")
        served.plane.swap(settings_with(served, routes=(new,)), served.credentials)
        client.send(GET)  # the same bytes on the same connection
        wire, request = await other.request()
        assert request.head.target == b"/new/x"
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_running_request_keeps_its_route_through_a_swap(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc"
        )
        wire = await upstream.accept()
        await wire.head()
        served.plane.swap(settings_with(served, routes=()), {})
        client.send(b"def")
        assert await wire.exactly(6) == b"abcdef"
        wire.send(OK)
        assert (await client.response()).body == b"ok"
        assert (await served.record()).route == "/"
        await wire.gone()  # nobody needs that upstream any more
        client.send(GET)
        assert (await client.response()).status == 404


async def test_a_running_request_keeps_its_timeouts_through_a_swap(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, head_timeout=20)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        served.plane.swap(settings_with(served, routes=()), {})
        served.clock.move(22)
        assert (await client.response()).status == 504
        await wire.gone()


async def test_close_cuts_what_runs_on_a_route_that_is_gone(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        served.plane.swap(settings_with(served, routes=()), {})
        await served.plane.close()
        await both_gone(client, wire)


async def test_a_request_that_waits_for_its_token_keeps_its_route_through_a_swap(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port), filled=False) as served:
        served.source.gate.clear()
        client = await served.ask(GET)
        await until(lambda: served.source.asked)
        served.plane.swap(settings_with(served, routes=()), {})
        served.source.gate.set()
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_swap_changes_hosts_and_clients_at_once(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET.replace(b"localhost", b"new.example"))
        assert (await client.response()).status == 421
        changed = settings_with(
            served, hosts=frozenset({"new.example"}), clients={"a": Secret("k3y")}
        )
        served.plane.swap(changed, served.credentials)
        client.send(GET.replace(b"localhost", b"new.example"))
        assert (await client.response()).status == 403
        client.send(
            GET.replace(b"localhost", b"new.example").replace(
                b"\r\n\r\n", b"\r\nX-Token-Sidecar-Key: k3y\r\n\r\n"
            )
        )
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_pools_of_unchanged_upstreams_survive_a_swap(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        served.plane.swap(settings_with(served, hold=1.0), served.credentials)
        client.send(GET)
        await wire.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_while_draining_everything_is_answered_and_told_to_close(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        old = await served.ask(GET)
        wire, _ = await upstream.request()
        served.plane.drain()
        wire.send(OK)
        await served.record()
        new = await served.ask(GET)
        await wire.request()
        wire.send(OK)
        for client in (old, new):
            answer = await client.response()
            assert answer.head.one(b"connection") == b"close"
            assert await client.rest() == b""
        refused = await served.ask(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert (await refused.response()).head.one(b"connection") == b"close"
        here = await served.ask(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await here.response()).head.one(b"connection") == b"close"


async def finishing(served, grace: float) -> asyncio.Task[bool]:
    served.plane.drain()
    await served.stop_accepting()
    return asyncio.create_task(served.plane.finished(grace))


async def test_finished_waits_for_what_runs_and_lets_idle_connections_go(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        idle = await served.ask(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await idle.response()
        busy = await served.ask(GET)
        wire, _ = await upstream.request()
        over = await finishing(served, DEADLINE)
        assert await idle.rest() == b""
        assert not over.done()
        wire.send(OK)
        assert (await busy.response()).body == b"ok"
        assert await over


async def test_finished_gives_up_when_the_grace_is_over(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        await served.ask(GET)
        await upstream.request()
        over = await finishing(served, 0.05)
        assert not await over


async def test_finished_is_so_at_once_when_nothing_runs(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        over = await finishing(served, DEADLINE)
        assert await over


async def test_pipelined_requests_behind_the_last_answer_are_not_begun(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET, GET)
        wire, _ = await upstream.request()
        over = await finishing(served, DEADLINE)
        wire.send(OK)
        assert (await client.response()).head.one(b"connection") == b"close"
        assert await client.gone() == b""
        assert await over


async def test_a_tunnel_is_given_its_grace_and_then_cut(upstream: Origin) -> None:
    ask = GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(ask)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        await client.head()
        over = await finishing(served, 0.05)
        client.send(b"still")
        assert await wire.exactly(5) == b"still"
        assert not await over
        await served.plane.close()
        await both_gone(client, wire)


async def both_gone(*wires: Wire) -> None:
    for wire in wires:
        await wire.gone()


async def test_close_cuts_what_still_runs(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        await round_trips(served, 1)
        await served.plane.close()
        await both_gone(client, wire)


async def test_at_a_listener_that_goes_requests_end_as_they_began_and_idle_ones_are_closed(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        idle = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await idle.response()
        busy = await served.ask(GET)
        await wire.request()  # on the connection that rested
        late = await served.connect()  # is there already, and has said nothing yet
        moved = settings_with(served, listeners=(Address("127.0.0.1", 1),), routes=())
        late.send(GET[:20])
        await round_trips(served, 3)
        served.plane.swap(moved, {})
        served.clock.move(LATECOMERS)
        await idle.gone()
        wire.send(OK)
        assert (await busy.response()).body == b"ok"
        await busy.gone()
        late.send(GET[20:])
        wire, _ = await upstream.request()
        wire.send(OK)
        answer = await late.response()
        assert answer.body == b"ok"
        assert answer.head.one(b"connection") == b"close"
        await late.gone()
        async with asyncio.timeout(DEADLINE):
            await served.hosted[0].leave()


async def test_a_listener_that_comes_back_serves_by_the_new_configuration(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        (listener,) = served.settings.listeners
        busy = await served.ask(GET)
        wire, _ = await upstream.request()
        door = served.plane.door(listener)
        gone = settings_with(served, listeners=(Address("127.0.0.1", 1),), routes=())
        served.plane.swap(gone, {})
        served.plane.swap(settings_with(served, hold=2.0), served.credentials)
        again = served.plane.door(listener)
        assert again is not door
        assert not again.draining
        assert door.draining
        wire.send(OK)
        assert (await busy.response()).body == b"ok"
        await busy.gone()


async def test_ways_in_that_are_gone_leave_nothing(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        for port in range(1, 50):
            address = Address("127.0.0.1", port)
            served.plane.swap(settings_with(served, listeners=(address,)), served.credentials)
            served.plane.door(address)
        assert len(served.plane._doors) == 1


async def test_who_has_just_come_to_a_listener_that_goes_is_answered(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        kept = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await kept.response()
        come = await served.connect()
        await round_trips(served, 3)
        queued = socket.create_connection(("127.0.0.1", served.ports[served.settings.listeners[0]]))
        moved = settings_with(served, listeners=(Address("127.0.0.1", 1),), routes=())
        served.plane.swap(moved, {})
        await served.stop_accepting()  # nobody has accepted that connection yet
        leaving = asyncio.create_task(served.hosted[0].leave())
        queued.sendall(GET)
        late = Wire(*await asyncio.open_connection(sock=queued))
        served.wires.append(late)
        for client in (come, kept):
            client.send(GET)
        wires = [await upstream.request() for _ in range(3)]
        served.clock.move(LATECOMERS)
        assert not leaving.done()
        for wire, _ in wires:
            wire.send(OK)
        for client in (come, kept, late):
            answer = await client.response()
            assert answer.body == b"ok"
            assert answer.head.one(b"connection") == b"close"
            await client.gone()
        async with asyncio.timeout(DEADLINE):
            await leaving


async def test_the_last_to_come_to_a_listener_that_goes_is_answered_even_if_alone(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        queued = socket.create_connection(("127.0.0.1", served.ports[served.settings.listeners[0]]))
        moved = settings_with(served, listeners=(Address("127.0.0.1", 1),), routes=())
        served.plane.swap(moved, {})
        await served.stop_accepting()
        leaving = asyncio.create_task(served.hosted[0].leave())
        client = Wire(*await asyncio.open_connection(sock=queued))
        served.wires.append(client)
        client.send(GET)
        wire, _ = await upstream.request()
        served.clock.move(LATECOMERS)
        await asyncio.sleep(0)
        wire.send(OK)
        assert (await client.response()).body == b"ok"
        async with asyncio.timeout(DEADLINE):
            await leaving
