"""Which files are believed, and what of them is the secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.errors import SecretError
from proxy.secret import Secret
from proxy.secrets.file import LARGEST, FieldSource, FileSource


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret file"
    path.write_bytes(b"canary")
    path.chmod(0o600)
    return path


def refused(path: Path) -> str:
    with pytest.raises(SecretError) as caught:
        FileSource(path).read()
    message = str(caught.value)
    assert str(path) in message
    assert "canary" not in message
    assert caught.value.__cause__ is None
    return message


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret\n\n", "s3cret\n"),
        (b"s3cret\r", "s3cret\r"),
        (b" s3cret ", " s3cret "),
        (b"\ns3cret", "\ns3cret"),
        ("gehéim\n".encode(), "gehéim"),
        (b"\xef\xbb\xbfs3cret\n", "s3cret"),
    ],
)
def test_one_trailing_newline_is_not_part_of_the_secret(
    file: Path, content: bytes, value: str
) -> None:
    file.write_bytes(content)
    assert FileSource(file).read().reveal() == value


def test_a_change_is_seen_at_once(file: Path) -> None:
    source = FileSource(file)
    source.read()
    file.write_bytes(b"new")
    assert source.read().reveal() == "new"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o660])
def test_a_file_that_others_can_change_is_refused_with_what_mends_it(file: Path, mode: int) -> None:
    file.chmod(mode)
    message = refused(file)
    assert f"chmod go-w '{file}'" in message
    assert f"{mode:04o}" in message


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n"])
def test_an_empty_file_is_no_secret(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "is empty" in refused(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nowhere")


def test_a_link_into_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert "does not exist" in refused(tmp_path / "link")


def test_a_directory_is_no_secret(tmp_path: Path) -> None:
    assert "is a directory" in refused(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "no regular file" in refused(tmp_path / "pipe")


def test_a_device_is_refused() -> None:
    assert "no regular file" in refused(Path("/dev/zero"))


@pytest.mark.parametrize("content", [b"canary\xff", "canary".encode("utf-16")])
def test_what_is_not_utf8_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert "UTF-8" in refused(file)


def test_a_file_without_end_is_refused(file: Path) -> None:
    file.write_bytes(b"x" * LARGEST)
    assert len(FileSource(file).read().reveal()) == LARGEST
    file.write_bytes(b"x" * (LARGEST + 1))
    assert "larger than" in refused(file)


def test_a_file_inside_a_file_is_explained(file: Path) -> None:
    assert "can't be read" in refused(file / "inside")


@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o640, 0), (0o644, 1), (0o444, 1)])
def test_a_file_that_everybody_can_read_is_warned_about(file: Path, mode: int, warned: int) -> None:
    file.chmod(mode)
    warnings = FileSource(file).warnings()
    assert len(warnings) == warned
    assert all(f"chmod o-r '{file}'" in warning for warning in warnings)
    assert FileSource(file).read()


def test_a_secret_mounted_by_kubernetes_is_read_through_its_links(tmp_path: Path) -> None:
    versioned = tmp_path / "..2026_01_01"
    versioned.mkdir()
    (versioned / "password").write_bytes(b"s3cret")
    (versioned / "password").chmod(0o644)
    (tmp_path / "..data").symlink_to(versioned.name)
    (tmp_path / "password").symlink_to("..data/password")
    source = FileSource(tmp_path / "password")
    assert source.read().reveal() == "s3cret"
    assert source.warnings() == ()


def test_a_missing_file_is_not_warned_about(tmp_path: Path) -> None:
    assert FileSource(tmp_path / "nowhere").warnings() == ()


def test_a_field_of_a_file_is_picked_anew_each_time(file: Path) -> None:
    source = FieldSource(file, lambda text: Secret(text.upper()))
    assert source.read().reveal() == "CANARY"
    file.write_bytes(b"new")
    assert source.read().reveal() == "NEW"


def test_a_field_that_can_not_be_picked_is_explained(file: Path) -> None:
    def pick(_: str) -> Secret:
        raise ValueError("is not a well-formed csv")

    with pytest.raises(SecretError, match="is not a well-formed csv"):
        FieldSource(file, pick).read()
    with pytest.raises(SecretError, match="no client_secret"):
        FieldSource(file, lambda _: Secret("")).read()


def test_a_credentials_file_has_to_be_as_safe_as_any(file: Path) -> None:
    file.chmod(0o644)
    source = FieldSource(file, Secret)
    assert len(source.warnings()) == 1
    file.chmod(0o666)
    with pytest.raises(SecretError, match="chmod go-w"):
        source.read()
