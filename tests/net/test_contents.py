from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.net.contents import Contents


def never(*_: object) -> int:
    raise OSError("not to be read")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text("one")
    return path


def test_equal_contents_have_equal_digests_whatever_their_times(file: Path) -> None:
    contents = Contents()
    first = contents.of(file)
    assert first is not None
    file.write_text("two")
    assert contents.of(file) not in {first, None}
    file.write_text("one")
    assert contents.of(file) == first


def test_a_file_that_did_not_change_is_not_read_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = Contents()
    first = contents.of(file)

    monkeypatch.setattr(Path, "open", never)
    assert contents.of(file) == first


def test_what_is_not_there_or_no_file_has_no_digest(tmp_path: Path) -> None:
    contents, pipe = Contents(), tmp_path / "pipe"
    os.mkfifo(pipe)
    assert contents.of(tmp_path / "missing") is None
    assert contents.of(tmp_path) is None
    assert contents.of(pipe) is None


def test_a_file_that_is_gone_and_comes_back_is_read_again(file: Path) -> None:
    contents = Contents()
    first = contents.of(file)
    file.unlink()
    assert contents.of(file) is None
    file.write_text("one")
    assert contents.of(file) == first


def test_only_what_is_kept_is_remembered(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents, other = Contents(), file.with_name("other")
    other.write_text("other")
    kept = contents.of(file)
    contents.of(other)
    contents.keep({file})
    monkeypatch.setattr(Path, "open", never)
    assert contents.of(file) == kept
    assert contents.of(other) is None
