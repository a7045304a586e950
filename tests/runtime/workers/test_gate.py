from __future__ import annotations

import socket

import pytest

from proxy.plane.settings import Address
from proxy.runtime.binding import Binding, Place
from proxy.runtime.inherited import Inherited
from proxy.runtime.workers.gate import Gate
from tests.support.clock import FakeClock


@pytest.mark.parametrize("inherited", [False, True])
async def test_who_has_just_come_is_served_or_left_to_whoever_serves_next(inherited: bool) -> None:
    handed: list[socket.socket] = []
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        place = Place("listen", Address(*sock.getsockname()))
        if inherited:
            sock.listen()
            sock.setblocking(False)
        else:
            sock.close()
        binding = Binding([Inherited("", sock)] if inherited else [])
        binding.assign([place])
        gate = Gate(lambda _, connection: handed.append(connection), FakeClock(), binding)
        gate.change([place], gate.bind([place]))
        gate.accept(True)
        with socket.create_connection((place.address.host, place.address.port)):
            gate.close()
            assert len(handed) == (0 if inherited else 1)
            if inherited:
                sock.accept()[0].close()
    for connection in handed:
        connection.close()
