from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxy.errors import StartError
from proxy.plane.settings import Address
from proxy.runtime.binding import Binding, Place, refuse_unused
from proxy.runtime.inherited import Inherited, assigned, take_inherited
from tests.support import activation
from tests.support.process import REPOSITORY

TAKING = """
import os
from proxy.runtime.inherited import take_inherited
from proxy.errors import StartError
try:
    for one in take_inherited(os.environ, os.getpid()):
        print(one.sock.fileno(), one.name, os.get_inheritable(one.sock.fileno()))
except StartError as error:
    print(error)
print(sorted(name for name in os.environ if name.startswith("LISTEN_")))
"""


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory whose path is short enough for Unix sockets in it."""
    with tempfile.TemporaryDirectory(prefix="sidecar-") as directory:
        yield Path(directory)


def listening(
    stack: ExitStack, host: str = "127.0.0.1", *, path: Path | None = None, name: str = ""
) -> Inherited:
    family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    sock.bind(str(path) if path else (host, 0))
    sock.listen()
    return Inherited(name, sock)


def at(one: Inherited, host: str = "127.0.0.1") -> Address:
    return Address(host, one.sock.getsockname()[1])


def chosen(inherited: list[Inherited], *wanted: tuple[str, Address]) -> dict[int, list[Inherited]]:
    return assigned(inherited, dict(enumerate(wanted)))


def taken(*sockets: socket.socket, names: str = "", **changed: str) -> list[str]:
    """What a process says that was started with these sockets."""
    named = names.split(":") + [""] * len(sockets)
    given = [f"{one.fileno()}:{name}" for one, name in zip(sockets, named, strict=False)]
    changes = f"import os\nos.environ.update({changed})\n"
    program = [sys.executable, "-c", changes + TAKING]
    done = subprocess.run(
        [sys.executable, activation.__file__, *given, "--", *program],
        cwd=REPOSITORY,
        pass_fds=[one.fileno() for one in sockets],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_they_are_taken_once_with_their_names_and_kept_from_children(opened: ExitStack) -> None:
    first, second = listening(opened), listening(opened)
    assert taken(first.sock, second.sock, names="listen:token-sidecar.socket") == [
        "3 listen False",
        "4 token-sidecar.socket False",
        "[]",
    ]


def test_what_is_meant_for_another_process_is_left_alone(opened: ExitStack) -> None:
    assert taken(listening(opened).sock, LISTEN_PID="1") == ["[]"]
    assert take_inherited({}, os.getpid()) == ()


@pytest.mark.parametrize("number", ["", "-1", "many", "1000000"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    environ = {"LISTEN_PID": "7", "LISTEN_FDS": number}
    with pytest.raises(StartError, match="no number of sockets"):
        take_inherited(environ, 7)


def test_what_does_not_listen_is_refused_with_what_mends_it(opened: ExitStack) -> None:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        sock = opened.enter_context(socket.socket(socket.AF_INET, kind))
        said = taken(sock, names="data")
        assert said[0].startswith("the service manager's descriptor 3 (data) is no listening")
        assert "Accept=no" in said[0]
    assert taken(listening(opened).sock, LISTEN_FDS="2")[0].startswith(
        "the service manager's descriptor 4 (without a name) is no listening"
    )


def test_a_socket_is_for_the_address_that_it_is_bound_to(opened: ExitStack, home: Path) -> None:
    one, other = listening(opened), listening(opened, name="listen")
    unix = listening(opened, path=home / "s")
    (home / "link").symlink_to(home)
    found = chosen(
        [one, other, unix],
        ("listen", at(one)),
        ("admin", at(other)),
        ("metrics", Address("127.0.0.1", 1)),
        ("routes", Address(path=str(home / "link" / "s"))),
    )
    assert found == {0: [one], 1: [other], 3: [unix]}


def test_a_name_that_stands_for_several_addresses_takes_all_of_them(opened: ExitStack) -> None:
    one = listening(opened)
    sock = opened.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind(("::1", at(one).port))
    sock.listen()
    two = Inherited("", sock)
    for host, expected in (("127.0.0.1", [one]), ("::1", [two])):
        assert chosen([one, two], ("listen", at(one, host))) == {0: expected}


def test_a_port_alone_is_for_every_address_of_both_families(opened: ExitStack) -> None:
    both = opened.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
    both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    both.bind(("::", 0))
    both.listen()
    one = Inherited("", both)
    assert chosen([one], ("metrics", at(one, "0.0.0.0"))) == {0: [one]}
    assert chosen([one], ("metrics", at(one, "127.0.0.1"))) == {}


def test_a_name_stands_for_the_only_address_of_its_key_that_has_none(
    opened: ExitStack, home: Path
) -> None:
    unix = listening(opened, path=home / "s", name="listen")
    place = ("listen", Address(path=str(home / "elsewhere")))
    assert chosen([unix], place) == {0: [unix]}
    assert chosen([unix], place, ("listen", Address(path="/other"))) == {}
    assert chosen([unix], ("admin", place[1])) == {}
    assert chosen([unix], ("listen", Address("127.0.0.1", 1))) == {}


def test_a_name_never_opens_to_other_machines_what_was_kept_from_them(opened: ExitStack) -> None:
    remote = listening(opened, "0.0.0.0", name="admin")
    assert chosen([remote], ("admin", at(remote))) == {}
    assert chosen([remote], ("admin", at(remote, "localhost"))) == {}


def test_a_socket_that_nothing_listens_on_is_told_with_what_is_configured(
    opened: ExitStack,
) -> None:
    one = listening(opened, name="extra.socket")
    places = [Place("listen", Address("127.0.0.1", 1))]
    binding = Binding([one])
    with pytest.raises(StartError) as told:
        refuse_unused(binding.assign(places), places)
    assert f"opened {at(one)} (extra.socket)" in str(told.value)
    assert "(listen 127.0.0.1:1)" in str(told.value)


def test_what_was_inherited_is_served_again_after_it_was_dropped(
    opened: ExitStack, home: Path
) -> None:
    unix = listening(opened, path=home / "s")
    place = Place("listen", Address(path=str(home / "s")))
    binding = Binding([unix])
    for _ in range(2):
        assert binding.assign([place]) == ()
        bound = binding.bind([place])
        assert [sock.getsockname() for sock in bound[place]] == [str(home / "s")]
        assert binding.assign([]) == (unix,)
        binding.release(bound)
        assert (home / "s").is_socket()
        assert unix.sock.fileno() >= 0
