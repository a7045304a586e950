from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from proxy.config.model import Config
from proxy.control.reloading import NotNowError
from proxy.errors import ConfigurationError, Problem, StartError
from proxy.runtime.differences import Differences
from proxy.runtime.following import Following
from proxy.runtime.log import Log
from proxy.runtime.reader import Reader
from proxy.runtime.reload import MOST_SHOWN, Reloader
from proxy.runtime.watching import INTERVAL, FileWatch, Stamp, stamp
from tests.support.clock import FakeClock, settle
from tests.support.process import until

GOOD = """\
credentials:
  api: {token_url: "https://provider.example.com/token", client_id: x, client_secret: {env: S}}
routes: [{path: /, upstream: "http://127.0.0.1:9/", credential: api}]
"""


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class World:
    """A reloader with a real file and a real reader; what is put to work is kept, or refused."""

    def __init__(self, home: Path) -> None:
        self.path = home / "c.yaml"
        self.path.write_text(GOOD)
        self.clock = FakeClock()
        self.stream = io.StringIO()
        self.given: list[Config] = []
        self.error: Exception | None = None
        self.changes = Differences(kept=("api",), settings=("hold",))
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = self.busiest = 0
        self.around: list[bool] = []
        self.watch = FileWatch(self.clock)
        environ = {"HOME": str(home)}
        self.reader = Reader(environ, self.clock)
        self.reloader = Reloader(
            self.path,
            reader=self.reader,
            following=Following(self.watch),
            put_to_work=self.put_to_work,
            compare=lambda _: self.changes,
            log=Log(self.stream),
            clock=self.clock,
            around=self.around.append,
        )

    async def put_to_work(self, config: Config) -> Differences:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await self.gate.wait()
        self.busy -= 1
        if self.error is not None:
            raise self.error
        self.given.append(config)
        return self.changes

    async def started(self, read: Stamp | None = None) -> None:
        """Follow the files of the configuration that is there."""
        config = await self.reader.read(self.path)
        self.reloader.start(config, read or stamp(self.path))
        self.watch.start()

    async def looked(self, times: int = 2) -> None:
        """So many looks at the files, and what follows from them."""
        for _ in range(times):
            await self.clock.advance(INTERVAL)
        await self.idle()

    async def idle(self) -> None:
        """Wait until nothing is being reloaded."""

        async def at_rest() -> bool:
            return self.reloader._task is None or self.reloader._task.done()

        await until(at_rest, what="the end of the reload")

    @property
    def lines(self) -> list[str]:
        """What was logged."""
        return self.stream.getvalue().splitlines()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    found = World(tmp_path)
    yield found
    await found.reloader.close()
    found.watch.close()


async def test_a_good_configuration_is_put_to_work(world: World) -> None:
    outcome = await world.reloader.reload()
    assert outcome.changes == world.changes.document()
    assert outcome.problems == ()
    assert [config.path for config in world.given] == [world.path]
    assert world.lines[0].endswith(
        "INFO    reload: the new configuration is at work: 1 credential kept; changed hold"
    )
    assert (world.reloader.reloads.applied, world.reloader.reloads.refused) == (1, 0)
    assert world.around == [True, False]


async def test_every_mistake_of_a_bad_one_is_told_and_it_is_not_put_to_work(world: World) -> None:
    world.path.write_text(GOOD + "hold: soon\nlisen: x\n")
    outcome = await world.reloader.reload()
    assert len(outcome.problems) == 2
    assert len(world.lines) == 2
    assert all(
        "reload_refused" in line and "the old configuration stays" in line for line in world.lines
    )
    assert f"{world.path}:5:1: unknown key `lisen`" in world.lines[0] + world.lines[1]
    assert world.given == []
    told = world.reloader.reloads
    assert (told.applied, told.refused, told.last_ok) == (0, 1, False)
    assert set(told.problems) == {str(one) for one in outcome.problems}
    assert told.last_success == world.clock.wall()
    assert world.around == [True, False]


async def test_one_wrong_key_among_500_is_named_with_its_place(world: World) -> None:
    routes = "".join(
        f"  - {{path: /{number}/, upstream: 'http://127.0.0.1:9/', credential: api}}\n"
        for number in range(500)
    ).replace("path: /321/, upstream", "path: /321/, upstraem")
    world.path.write_text(GOOD[: GOOD.index("routes")] + "routes:\n" + routes)
    outcome = await world.reloader.reload()
    (first, *_) = outcome.problems
    assert isinstance(first, Problem)
    assert (first.file, first.line) == (str(world.path), 3 + 1 + 321)
    assert "upstraem" in first.message
    assert world.given == []


@pytest.mark.parametrize(
    ("error", "told"),
    [(StartError("listen: in use"), "listen: in use"), (KeyError("canary"), "exception=KeyError")],
)
async def test_what_can_not_be_put_to_work_is_told_in_one_line(
    world: World, error: Exception, told: str
) -> None:
    world.error = error
    outcome = await world.reloader.reload()
    assert len(outcome.problems) == 1
    assert len(world.lines) == 1
    assert told in world.lines[0]
    assert "canary" not in world.lines[0] + str(outcome)
    assert not world.reloader.reloads.last_ok
    world.error = None
    await world.reloader.reload()
    reloads = world.reloader.reloads
    assert (reloads.applied, reloads.refused, reloads.last_ok, reloads.problems) == (1, 1, True, ())


async def test_the_status_names_some_of_very_many_problems(world: World) -> None:
    world.path.write_text("".join(f"no{number}: x\n" for number in range(100)))
    outcome = await world.reloader.reload()
    assert len(outcome.problems) > 100
    shown = world.reloader.reloads.problems
    assert len(shown) == MOST_SHOWN + 1
    assert shown[-1] == f"and {len(outcome.problems) - MOST_SHOWN} more"


async def test_reloads_asked_for_meanwhile_are_one_more_and_never_two_at_once(
    world: World,
) -> None:
    world.gate.clear()
    first = asyncio.create_task(world.reloader.reload())

    async def began() -> bool:
        return bool(world.busy)

    await until(began, what="the first reload")
    others = [asyncio.create_task(world.reloader.reload()) for _ in range(5)]
    for _ in range(5):
        world.reloader.soon()
    await asyncio.sleep(0)
    for _ in range(5):  # a second one at the same time would have read, and be at work, by now
        await world.reader.read(world.path)
        await settle()
    world.gate.set()
    await asyncio.gather(first, *others)
    await world.idle()
    assert len(world.given) == 2
    assert world.busiest == 1


async def test_who_asks_is_told_of_what_the_file_was_when_they_asked(world: World) -> None:
    world.gate.clear()
    first = asyncio.create_task(world.reloader.reload())

    async def began() -> bool:
        return bool(world.busy)

    await until(began, what="the first reload")
    world.path.write_text("lisen: x\n")
    second = asyncio.create_task(world.reloader.reload())
    await asyncio.sleep(0)
    world.gate.set()
    assert not (await first).problems
    assert (await second).problems


async def test_who_no_longer_waits_is_not_missed(world: World) -> None:
    asking = asyncio.create_task(world.reloader.reload())
    await asyncio.sleep(0)
    asking.cancel()
    await world.idle()
    assert len(world.given) == 1


# -- files that change


async def test_a_changed_file_is_put_to_work_by_itself(world: World) -> None:
    await world.started()
    world.path.write_text(GOOD + "hold: 3s\n")
    await world.looked()
    assert [config.hold for config in world.given] == [3.0]


async def test_a_file_written_anew_with_the_same_content_is_no_reload(world: World) -> None:
    await world.started()
    world.path.write_text(GOOD)
    await world.looked()
    assert world.given == []
    assert world.lines == []
    assert world.reloader.reloads.applied == 0
    await world.reloader.reload()  # who asks is answered
    assert len(world.given) == 1


async def test_a_half_written_file_is_left_alone_until_it_rests(world: World) -> None:
    await world.started()
    for length in (30, 60, 90):
        world.path.write_text((GOOD + "hold: 3s\n")[:length])
        await world.looked(1)
    assert world.lines == []
    world.path.write_text(GOOD + "hold: 3s\n")
    await world.looked()
    assert [config.hold for config in world.given] == [3.0]


async def test_a_bad_file_is_told_once_and_the_old_one_again_mends_it(world: World) -> None:
    await world.started()
    world.path.write_text("lisen: x\n")
    await world.looked()
    told = len(world.lines)
    assert told
    world.path.write_text("lisen: x\n")
    await world.looked()
    assert len(world.lines) == told
    assert world.reloader.reloads.refused == 1
    world.path.unlink()
    await world.looked()
    assert "there is no such file" in world.lines[-1]
    world.path.write_text(GOOD)
    await world.looked()
    assert world.reloader.reloads.last_ok
    assert len(world.given) == 1


async def test_what_changed_between_the_reading_and_the_start_is_seen(world: World) -> None:
    read = stamp(world.path)
    world.path.write_text(GOOD + "hold: 3s\n")
    await world.started(read)
    await world.looked()
    assert len(world.given) == 1


async def test_a_file_that_the_configuration_names_is_followed_as_well(world: World) -> None:
    ca = world.path.with_name("ca.pem")
    ca.write_text("one")
    world.path.write_text(GOOD.replace("{token_url", "{tls: {ca_file: ca.pem}, token_url"))
    await world.started()
    ca.write_text("two")
    await world.looked()
    assert len(world.given) == 1
    world.path.write_text(GOOD)
    await world.looked()
    assert len(world.given) == 2
    ca.write_text("three")  # nobody names it any more
    await world.looked()
    assert len(world.given) == 2


async def test_what_a_refused_configuration_lacks_brings_it_back_when_it_comes(
    world: World,
) -> None:
    await world.started()
    world.path.write_text(GOOD.replace("{env: S}", "{file: secret}"))
    problem = Problem("c.yaml", 1, 1, "the secret is not there")
    world.error = ConfigurationError([problem])
    await world.looked()
    assert world.reloader.reloads.refused == 1
    world.error = None
    world.path.with_name("secret").write_text("now")
    await world.looked()
    assert world.reloader.reloads.applied == 1


async def test_a_signal_during_a_change_of_the_file_is_one_reload(world: World) -> None:
    await world.started()
    world.path.write_text(GOOD + "hold: 3s\n")
    world.reloader.soon()
    await world.idle()
    await world.looked()
    assert len(world.given) == 1


# -- what would change


async def test_what_a_text_would_change_is_told_and_nothing_is(world: World) -> None:
    outcome = await world.reloader.compare("new.yaml", GOOD + "hold: 3s\n")
    assert outcome.changes == world.changes.document()
    bad = await world.reloader.compare("new.yaml", "lisen: x\n")
    assert {one.file for one in bad.problems if isinstance(one, Problem)} == {"new.yaml"}
    assert world.given == []
    assert world.lines == []
    assert world.reloader.reloads.refused == 0


# -- the end


async def test_after_the_end_nothing_is_reloaded(world: World) -> None:
    await world.started()
    await world.reloader.close()
    with pytest.raises(NotNowError):
        await world.reloader.reload()
    world.reloader.soon()
    world.path.write_text(GOOD + "hold: 3s\n")
    await world.looked()
    assert world.given == []


async def test_the_end_waits_for_what_changes_something_already(world: World) -> None:
    world.gate.clear()
    asking = asyncio.create_task(world.reloader.reload())

    async def began() -> bool:
        return bool(world.busy)

    await until(began, what="the reload")
    later = asyncio.create_task(world.reloader.reload())
    await asyncio.sleep(0)
    closing = asyncio.create_task(world.reloader.close())
    await asyncio.sleep(0)
    assert not closing.done()
    world.gate.set()
    await closing
    assert not (await asking).problems
    assert (await later).problems
    assert len(world.given) == 1
