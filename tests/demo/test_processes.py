"""Processes: started, heard, stopped even if they would rather not."""

from __future__ import annotations

import sys

import pytest

from proxy.demo import processes
from proxy.demo.processes import Child, DemonstrationError, environment, module


async def start(tmp_path, source: str, **more) -> Child:
    command = (sys.executable, "-c", source)
    return await Child.start("it", command, log=tmp_path / "log", environ={}, **more)


async def test_what_it_says_can_be_heard_line_by_line(tmp_path):
    child = await start(tmp_path, "print('one'); print('two')")
    assert [await child.line() for _ in range(3)] == [b"one\n", b"two\n", b""]
    assert await child.wait() == 0


async def test_what_nobody_hears_is_logged(tmp_path):
    child = await start(tmp_path, "print('hello')", heard=False)
    await child.wait()
    assert (tmp_path / "log").read_text() == "hello\n"


async def test_it_is_asked_to_end(tmp_path):
    source = "import signal,sys\nsignal.signal(15, lambda *_: sys.exit(7))\nprint(1, flush=True)\n"
    child = await start(tmp_path, source + "while True: signal.pause()")
    await child.line()
    assert await child.stop() == 7
    assert not child.running


async def test_one_that_does_not_listen_is_made_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "GRACE", 0.05)
    source = "import signal\nsignal.signal(15, signal.SIG_IGN)\nprint(1, flush=True)\n"
    child = await start(tmp_path, source + "while True: signal.pause()")
    await child.line()
    assert await child.stop() == -9


async def test_stopping_one_that_has_ended_is_harmless(tmp_path):
    child = await start(tmp_path, "raise SystemExit(3)")
    await child.wait()
    assert await child.stop() == 3


async def test_its_last_words_are_told_when_it_died(tmp_path):
    child = await start(tmp_path, "import sys; sys.exit('the port is taken')")
    await child.wait()
    assert str(child.died()) == "it ended with code 1. Its last words:\n    the port is taken"


async def test_a_program_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DemonstrationError, match="it can't be started"):
        await Child.start("it", ("/nowhere",), log=tmp_path / "log", environ={})


async def test_our_module_runs_whatever_lies_in_the_current_directory(tmp_path, monkeypatch):
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    command = module("proxy.demo.world", "--help")
    child = await Child.start("it", command, log=tmp_path / "log", environ=environment({}))
    assert await child.wait() == 0, child.log.read_text()
