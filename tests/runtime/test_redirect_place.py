from __future__ import annotations

import socket

import pytest

from proxy.errors import StartError
from proxy.plane.settings import Address
from proxy.runtime.redirect_place import bound, redirect_place
from tests.support.process import free_port


def test_our_own_place_is_on_loopback_by_number() -> None:
    place = redirect_place(None, 8400)
    assert place is not None
    assert place.uri == "http://127.0.0.1:8400/callback"


@pytest.mark.parametrize(
    ("uri", "address", "path"),
    [
        ("http://localhost:8000/auth/cb?x=1", Address("localhost", 8000), "/auth/cb"),
        ("http://127.0.0.1", Address("127.0.0.1", 80), "/"),
        ("http://[::1]:81/cb", Address("::1", 81), "/cb"),
    ],
)
def test_a_fixed_one_on_this_machine_is_taken_apart(uri: str, address: Address, path: str) -> None:
    place = redirect_place(uri, None)
    assert place is not None
    assert (place.address, place.path) == (address, path)


@pytest.mark.parametrize(
    "uri",
    [
        "https://seldon.example/seldon-deploy/auth/callback",
        "https://localhost:8000/cb",
        "http://app.example/cb",
        "urn:ietf:wg:oauth:2.0:oob",
        "com.example.app:/cb",
    ],
)
def test_any_other_one_is_elsewhere(uri: str) -> None:
    assert redirect_place(uri, None) is None


def close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def test_any_free_port_is_named_once_it_is_bound() -> None:
    place = redirect_place(None, None)
    assert place is not None
    found, sockets = bound(place)
    port = sockets[0].getsockname()[1]
    close(sockets)
    assert found.uri == f"http://127.0.0.1:{port}/callback"


def test_a_name_is_bound_with_whatever_this_machine_has_of_it() -> None:
    place = redirect_place(f"http://localhost:{free_port()}/cb", None)
    assert place is not None
    _, sockets = bound(place)
    assert "127.0.0.1" in {one.getsockname()[0] for one in sockets}
    close(sockets)


def test_a_port_that_is_taken_is_told_with_the_key_to_change() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for uri in (None, f"http://127.0.0.1:{port}/cb", f"http://localhost:{port}/cb"):
            place = redirect_place(uri, port)
            assert place is not None
            with pytest.raises(StartError, match=r"redirect_port.*in use"):
                bound(place)
