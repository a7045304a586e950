from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.errors import StartError
from proxy.plane.settings import Address
from proxy.runtime.sockets import SHARED, _tcp_reason, bind, release


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose path leaves room for a Unix socket's name."""
    path = Path("/tmp") / f"sockets-{os.getpid()}"
    path.mkdir()
    yield path
    for left in path.iterdir():
        left.unlink()
    path.rmdir()


def test_a_port_in_use_is_named_with_its_key_and_what_to_do() -> None:
    first = bind(Address("127.0.0.1", 0), key="listen")
    port = first[0].getsockname()[1]
    with pytest.raises(StartError) as told:
        bind(Address("127.0.0.1", port), key="admin")
    release(first)
    assert str(told.value) == (
        f"admin: can't listen on 127.0.0.1:{port}: the port is in use; "
        "stop the program that has it or choose another port"
    )


def test_a_port_can_be_bound_again_right_after_its_release() -> None:
    first = bind(Address("127.0.0.1", 0), key="listen")
    port = first[0].getsockname()[1]
    release(first)
    release(bind(Address("127.0.0.1", port), key="listen"))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (Address("192.0.2.1", 8080), "this machine has no such address"),
        (Address("nowhere.invalid", 8080), "this machine knows no address named nowhere.invalid"),
        (Address(path="/nowhere/at/all"), "the directory /nowhere/at does not exist"),
        (Address(path="/tmp/" + "long" * 40), "the path is too long for a Unix socket"),
        (Address(path="/tmp"), "something that is no socket is there"),
    ],
)
def test_an_address_that_can_not_be_had_says_why(address: Address, reason: str) -> None:
    with pytest.raises(StartError, match=reason):
        bind(address, key="listen")


def test_a_port_below_1024_needs_permission() -> None:
    refused = PermissionError(errno.EACCES, "Permission denied")
    assert "below 1024" in _tcp_reason(refused, Address("127.0.0.1", 81))
    assert "below 1024" not in _tcp_reason(refused, Address("127.0.0.1", 8081))


@pytest.mark.parametrize(("mode", "expected"), [(0o600, 0o600), (SHARED, 0o666)])
def test_a_unix_socket_has_its_permissions_from_the_first_moment(
    short: Path, mode: int, expected: int
) -> None:
    before = os.umask(0)
    try:
        bound = bind(Address(path=str(short / "a")), key="listen", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((short / "a").stat().st_mode) == expected
    release(bound)


def test_what_a_dead_process_left_behind_is_replaced(short: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(short / "a"))
    dead.close()
    release(bind(Address(path=str(short / "a")), key="listen"))


def test_a_socket_that_is_served_is_left_alone(short: Path) -> None:
    first = bind(Address(path=str(short / "a")), key="listen")
    with pytest.raises(StartError, match="another process serves it"):
        bind(Address(path=str(short / "a")), key="listen")
    assert (short / "a").is_socket()
    release(first)


def test_release_removes_the_socket_file(short: Path) -> None:
    release(bind(Address(path=str(short / "a")), key="listen"))
    assert list(short.iterdir()) == []
