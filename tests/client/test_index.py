"""What a command keeps of a configuration is believed only while nothing changed."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from proxy.client.index import Index, Indexed, IndexedStore, cache_directory, recall, remember

INDEX = Index(
    "/state",
    10.0,
    IndexedStore("/tokens", ("env", "STORE_KEY")),
    {"api": Indexed("identity", "client_credentials", 300.0, kept=True, lent=True)},
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("first")
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def later() -> float:
    return time.time() + 10


def test_what_was_kept_is_recalled(config: Path, environ: dict[str, str]) -> None:
    remember(config, environ, [config], INDEX, later())
    assert recall(config, environ) == INDEX


def test_without_a_store_it_is_the_same(config: Path, environ: dict[str, str]) -> None:
    bare = Index("/state", 10.0, None, {})
    remember(config, environ, [config], bare, later())
    assert recall(config, environ) == bare


def test_it_is_for_nobody_else_to_read(config: Path, environ: dict[str, str]) -> None:
    remember(config, environ, [config], INDEX, later())
    (kept,) = cache_directory(environ).iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_any_change_of_any_file_ends_it(config: Path, environ: dict[str, str]) -> None:
    other = config.with_name("credentials.csv")
    other.write_text("one")
    for file in (config, other):
        remember(config, environ, [config, other], INDEX, later())
        assert recall(config, environ) == INDEX
        kept = file.stat()
        file.write_text("other")
        os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))  # it may not show in its times
        assert recall(config, environ) is None


def test_a_link_that_leads_elsewhere_ends_it(config: Path, environ: dict[str, str]) -> None:
    second = config.with_name("second.yaml")
    second.write_text("first")
    link = config.with_name("link.yaml")
    link.symlink_to(config)
    remember(link, environ, [link], INDEX, later())
    assert recall(link, environ) == INDEX
    link.unlink()
    link.symlink_to(second)
    assert recall(link, environ) is None


def test_another_home_has_another_meaning(config: Path, environ: dict[str, str]) -> None:
    remember(config, environ, [config], INDEX, later())
    assert recall(config, {**environ, "HOME": "/elsewhere"}) is None


def test_what_changed_just_now_is_not_kept(config: Path, environ: dict[str, str]) -> None:
    remember(config, environ, [config], INDEX, time.time())
    assert recall(config, environ) is None


def test_what_others_could_have_written_is_not_believed(
    config: Path, environ: dict[str, str]
) -> None:
    remember(config, environ, [config], INDEX, later())
    (kept,) = cache_directory(environ).iterdir()
    kept.chmod(0o660)
    assert recall(config, environ) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"for": 1}', b"\xff", b"null", b"3"])
def test_damage_is_as_good_as_nothing(
    config: Path, environ: dict[str, str], content: bytes
) -> None:
    remember(config, environ, [config], INDEX, later())
    (kept,) = cache_directory(environ).iterdir()
    kept.write_bytes(content)
    assert recall(config, environ) is None


def test_where_nothing_can_be_kept_nothing_is(config: Path, environ: dict[str, str]) -> None:
    Path(environ["XDG_CACHE_HOME"]).write_text("a file")
    remember(config, environ, [config], INDEX, later())
    assert recall(config, environ) is None
