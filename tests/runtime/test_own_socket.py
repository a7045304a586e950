from __future__ import annotations

import io
import logging
import os
import stat
from pathlib import Path

import pytest

from proxy.client.own_socket import own_socket
from proxy.config.model import Config
from proxy.errors import StartError
from proxy.runtime.log import Log
from proxy.runtime.own_directory import own_socket_ready, prepare_directory

STATE = Path("/state")


def test_it_lies_in_the_runtime_directory() -> None:
    path = own_socket(Path("/etc/c.yaml"), {"XDG_RUNTIME_DIR": "/run/user/7"}, STATE)
    assert path.parent == Path("/run/user/7/token-sidecar")


@pytest.mark.parametrize("environ", [{}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "relative"}])
def test_without_a_runtime_directory_it_lies_in_the_state_directory(
    environ: dict[str, str],
) -> None:
    assert own_socket(Path("/etc/c.yaml"), environ, STATE).parent == STATE / "run"


def test_the_same_file_gives_the_same_name_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert own_socket(Path("c.yaml"), {}, STATE) == own_socket(tmp_path / "x/../c.yaml", {}, STATE)


def test_different_files_give_different_names() -> None:
    assert own_socket(Path("/a/c.yaml"), {}, STATE) != own_socket(Path("/b/c.yaml"), {}, STATE)


def test_the_name_stays_when_the_link_behind_a_mounted_file_is_swapped(tmp_path: Path) -> None:
    names = []
    for version in ("one", "two"):
        (tmp_path / version).write_text("")
        (tmp_path / "c.yaml").unlink(missing_ok=True)
        (tmp_path / "c.yaml").symlink_to(tmp_path / version)
        names.append(own_socket(tmp_path / "c.yaml", {}, STATE))
    assert names[0] == names[1]


def test_its_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    prepare_directory(tmp_path / "deep" / "token-sidecar")
    made = (tmp_path / "deep" / "token-sidecar").stat()
    assert stat.S_IMODE(made.st_mode) == 0o700
    assert made.st_uid == os.geteuid()


def test_what_is_missing_on_the_way_is_made_for_us_alone_too(tmp_path: Path) -> None:
    mounted = tmp_path / "volume"  # as Kubernetes mounts one for a group: set-group-ID, open to all
    mounted.mkdir()
    mounted.chmod(0o2777)
    before = os.umask(0)
    try:
        prepare_directory(mounted / "state" / "run")
    finally:
        os.umask(before)
    for made in (mounted / "state", mounted / "state" / "run"):
        assert stat.S_IMODE(made.stat().st_mode) & 0o777 == 0o700
    assert stat.S_IMODE(mounted.stat().st_mode) == 0o2777


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(StartError, match="no link"):
        prepare_directory(tmp_path / "link")


def test_a_directory_that_is_open_to_others_is_refused_with_what_mends_it(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    with pytest.raises(StartError, match=f"chmod 700 {tmp_path}/open"):
        prepare_directory(tmp_path / "open")


def test_where_it_can_not_be_made_a_warning_tells_and_requests_go_on(tmp_path: Path) -> None:
    stream = io.StringIO()
    config = Config(
        path=tmp_path / "c.yaml",
        listen=(),
        admin=None,
        metrics=None,
        state_dir=Path(os.devnull),
    )
    assert own_socket_ready(config, {}, Log(stream)) is None
    logging.getLogger().handlers.clear()
    assert "WARNING own_socket: can't make the directory" in stream.getvalue()
