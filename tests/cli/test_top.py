from __future__ import annotations

import json
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from proxy.control import application
from proxy.control.lending import Lendables
from proxy.control.snapshot import Snapshot
from proxy.plane.guard import Guard
from proxy.plane.hosting import Hosted
from proxy.plane.settings import Address
from proxy.runtime.sockets import bind
from tests.control.conftest import fail, snapshot, status
from tests.support.process import command, free_port, running, until
from tests.support.screen import on_screen

OTHER_SCREEN, BACK = "\x1b[?1049h", "\x1b[?1049l"
CURSOR = "\x1b[?25h"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7][0-9;]*m")


@dataclass
class Shown:
    """A control plane at an address that stays the same."""

    address: Address = field(default_factory=lambda: Address("127.0.0.1", free_port()))
    now: Snapshot = field(default_factory=lambda: snapshot(warnings=()))
    _hosted: Hosted | None = None

    async def start(self) -> None:
        async def count() -> None:
            """Nothing is to be counted."""

        runner = application.admin(
            lambda: self.now, count, lambda: Guard(self.address), fail, lambda: Lendables({}, 0.0)
        )
        self._hosted = await Hosted.open(runner, bind(self.address, key="admin"))

    async def stop(self) -> None:
        hosted, self._hosted = self._hosted, None
        if hosted is not None:
            await hosted.close()

    @property
    def words(self) -> tuple[str, ...]:
        """The command line that leads here."""
        return ("top", "--address", str(self.address), "--interval", "0.2s")


@pytest.fixture
async def shown() -> AsyncIterator[Shown]:
    here = Shown()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(here.stop)
        await here.start()
        yield here


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="top-") as directory:
        yield Path(directory)


async def test_it_is_live_and_q_gives_the_terminal_back(shown: Shown, home: Path) -> None:
    async with on_screen(*shown.words, home=home) as screen:
        before = screen.modes()
        await screen.shows("All is well.")
        assert OTHER_SCREEN in screen.written
        assert screen.modes() != before
        assert COLOUR.search(screen.written)
        bad = status("bad", state="unavailable", failing_since=1_790_000_000.0)
        shown.now = snapshot(credentials=(bad,))
        await screen.shows("bad has no token: it did not answer within 10 s.")
        screen.press(b"q")
        assert await screen.ended() == 0
        assert screen.written.rindex(BACK) > screen.written.rindex(OTHER_SCREEN)
        assert CURSOR in screen.written[screen.written.rindex(OTHER_SCREEN) :]
        assert screen.modes() == before


@pytest.mark.parametrize(("how", "code"), [("ctrl-c", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
async def test_whatever_ends_it_the_terminal_is_given_back(
    shown: Shown, home: Path, how: str, code: int
) -> None:
    async with on_screen(*shown.words, home=home) as screen:
        before = screen.modes()
        await screen.shows("All is well.")
        if how == "ctrl-c":
            screen.press(b"\x03")
        else:
            screen.process.send_signal(getattr(signal, how))
        assert await screen.ended() == code
        assert screen.written.rindex(BACK) > screen.written.rindex(OTHER_SCREEN)
        assert screen.modes() == before


async def test_ctrl_z_lends_the_terminal_to_the_shell(shown: Shown, home: Path) -> None:
    async with on_screen(*shown.words, home=home) as screen:
        await screen.shows("All is well.")
        screen.press(b"\x1a")

        async def stopped() -> bool:
            told = Path(f"/proc/{screen.process.pid}/stat").read_text()  # noqa: ASYNC240 - no disk
            return told.rpartition(")")[2].split()[0] == "T"

        await until(stopped, what="its being stopped")
        screen.read()
        assert screen.written.rindex(BACK) > screen.written.rindex(OTHER_SCREEN)
        screen.forget()
        screen.process.send_signal(signal.SIGCONT)
        await screen.shows("All is well.")
        assert OTHER_SCREEN in screen.written
        screen.press(b"q")
        assert await screen.ended() == 0


async def test_it_follows_the_window(shown: Shown, home: Path) -> None:
    async with on_screen(*shown.words, home=home) as screen:
        await screen.shows("All is well.")
        for columns, lines in ((120, 30), (60, 14), (200, 50)):
            screen.resize(columns, lines)

            async def followed(wanted: tuple[int, int] = (columns, lines)) -> bool:
                screen.read()
                widths = {len(one) for one in screen.frame[:-1]}
                return (widths, len(screen.frame)) == ({wanted[0]}, wanted[1])

            await until(followed, what=f"{columns} columns and {lines} lines")
        screen.press(b"q")
        assert await screen.ended() == 0


async def test_no_color_means_none(shown: Shown, home: Path) -> None:
    async with on_screen(*shown.words, home=home, environ={"NO_COLOR": "1"}) as screen:
        await screen.shows("✓ All is well.")
        screen.press(b"q")
        assert await screen.ended() == 0
        assert not COLOUR.search(screen.written)


async def test_a_sidecar_that_goes_is_told_and_one_that_comes_back_too(
    shown: Shown, home: Path
) -> None:
    async with on_screen(*shown.words, home=home) as screen:
        await screen.shows("All is well.")
        await shown.stop()
        await screen.shows("Not connected since ")
        screen.forget()
        await shown.start()
        await screen.shows("All is well.")
        screen.press(b"q")
        assert await screen.ended() == 0


async def test_what_is_no_terminal_gets_one_plain_look(shown: Shown, home: Path) -> None:
    done = await command(*shown.words, home=home, environ={"LANG": "C.UTF-8"})
    assert (done.code, done.err) == (0, "")
    assert "✓ All is well." in done.out
    assert "inference" in done.out
    assert "\x1b" not in done.out


async def test_json_is_an_object_a_line(shown: Shown, home: Path) -> None:
    done = await command(*shown.words, "--json", "--once", home=home)
    (line,) = done.out.splitlines()
    said = json.loads(line)
    assert said["connected"] is True
    assert said["verdict"]["says"] == "All is well"
    assert said["credentials"]["inference"]["state"] == "valid"
    assert said["lately"]["/infer/"] == {"rate": 0.0, "p50": None, "p99": None, "failed": 0}


async def test_json_goes_on_until_it_is_stopped(shown: Shown, home: Path) -> None:
    async with on_screen(*shown.words, "--json", home=home) as screen:
        await screen.shows('"connected":true')
        await shown.stop()
        await screen.shows('"connected":false')
        screen.press(b"\x03")
        assert await screen.ended() == 130


async def test_where_nobody_answers_it_says_so(home: Path) -> None:
    done = await command("top", "--address", f"127.0.0.1:{free_port()}", home=home)
    assert done.code == 1
    assert "no sidecar answers: Connection refused" in done.err


@pytest.mark.parametrize("address", ["8081", "localhost:", "localhost:x"])
async def test_an_address_has_a_host_and_a_port(home: Path, address: str) -> None:
    done = await command("top", "--address", address, home=home)
    assert done.code == 2
    assert "it wants HOST:PORT" in done.err


PLAIN = """\
listen: 127.0.0.1:{}
admin: off
routes:
  - path: /
    upstream: http://127.0.0.1:1/
    credential: none
"""


async def test_it_finds_the_sidecar_by_its_configuration(home: Path) -> None:
    done = await command("top", "--once", home=home)
    assert done.code == 2
    text = PLAIN.format(free_port())
    file = home / "token-sidecar.yaml"
    file.write_text(text)
    done = await command("top", "--once", home=home)
    assert (done.code, "no sidecar runs with this configuration" in done.err) == (1, True)
    async with running(file, home) as sidecar:
        await sidecar.says("start")
        done = await command("top", "--once", "--interval", "0.1s", home=home)
        assert (done.code, "All is well." in done.out) == (0, True), done.err
        assert await sidecar.stop() == 0
