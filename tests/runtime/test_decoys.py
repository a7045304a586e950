"""The key that decoys are signed with: made once, kept to ourselves, agreed on."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.config.model import Config
from proxy.errors import ConfigurationError
from proxy.runtime.decoys import FILE, answers, decoy_key
from proxy.runtime.tls import TlsContexts
from proxy.runtime.translate import plane_settings
from proxy.secret import Secret

TEXT = """\
clients: {notebook: {key: {env: KEY}}}
state_dir: state
credentials: {a: {grant: static, token: {env: A}}}
routes:
  - {path: /a/, upstream: "https://u", credential: a}
  - {path: /b/, upstream: "https://u", credential: a, sdk_login: wallaroo}
"""


def config(home: Path) -> Config:
    file = home / "c.yaml"
    if not file.exists():
        file.write_text(TEXT)
    return load(file, {"HOME": str(home)})


def revealed(home: Path) -> str:
    """The key, as another process has it."""
    key = decoy_key(config(home))
    return "" if key is None else key.reveal()


def problem(home: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        decoy_key(config(home))
    (found,) = caught.value.problems
    assert (found.line, found.column) == (6, 5)
    assert found.message.startswith("`sdk_login`: ")
    return found.message


def test_it_is_made_once_for_us_alone(tmp_path: Path) -> None:
    first = revealed(tmp_path)
    assert len(first) == 44
    assert revealed(tmp_path) == first
    path = tmp_path / "state" / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [FILE]


def test_processes_that_begin_together_agree(tmp_path: Path) -> None:
    config(tmp_path)
    with ProcessPoolExecutor(4, mp_context=get_context("forkserver")) as pool:
        found = set(pool.map(revealed, [tmp_path] * 8))
    assert len(found) == 1


def test_without_such_a_route_there_is_none(tmp_path: Path) -> None:
    whole = config(tmp_path)
    assert decoy_key(replace(whole, routes=whole.routes[:1])) is None
    assert not (tmp_path / "state").exists()


def test_what_others_may_read_is_refused(tmp_path: Path) -> None:
    revealed(tmp_path)
    (tmp_path / "state" / FILE).chmod(0o644)
    assert "chmod 600" in problem(tmp_path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / FILE).symlink_to(tmp_path / "elsewhere")
    assert "is a link" in problem(tmp_path)


@pytest.mark.parametrize("content", ["", "not a key", "AAAA"])
def test_a_file_that_holds_no_key_is_told(tmp_path: Path, content: str) -> None:
    revealed(tmp_path)
    (tmp_path / "state" / FILE).write_text(content)
    assert FILE in problem(tmp_path)


def test_a_directory_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    assert os.fspath(tmp_path / "state") in problem(tmp_path)


def test_only_routes_that_say_so_answer_logins(tmp_path: Path) -> None:
    whole = config(tmp_path)
    keys = {"notebook": Secret("k")}
    given_out = answers(decoy_key(whole), keys, lambda: 0.0)
    plain, answering = plane_settings(whole, TlsContexts(), keys, {}, given_out).routes
    assert plain.local is None
    assert answering.local is not None
    assert answering.local.asked_by_nobody(b"GET", (b"v1", b"api", b"config"))
