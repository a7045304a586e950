from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.model import Config, FileSecret, FileStore, KeyringSecret


@pytest.mark.parametrize("text", ["", "store: memory"])
def test_tokens_are_kept_in_memory_where_nothing_else_is_said(
    loaded: Callable[[str], Config], text: str
) -> None:
    assert loaded(text).store is None


def test_files_lie_below_the_state_directory(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    home = Path("/home/mary/.local/state/token-sidecar/tokens")
    assert loaded("store: file").store == FileStore(home)
    assert loaded("store: file\nstate_dir: here").store == FileStore(directory / "here/tokens")


def test_files_lie_where_it_is_said_with_a_key_of_ones_own(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    store = loaded("store: {file: t, encryption_key: {file: k}}").store
    assert store is not None
    assert store.directory == directory / "t"
    assert isinstance(store.key, FileSecret)
    store = loaded("store: {file: ~/t, encryption_key: {keyring: a/b}}").store
    assert store is not None
    assert store.directory == Path("/home/mary/t")
    assert isinstance(store.key, KeyringSecret)


def test_a_plain_key_is_warned_about(loaded: Callable[[str], Config]) -> None:
    config = loaded("store: {file: t, encryption_key: Kanarien-v0gel}")
    (warning,) = config.warnings
    assert "`encryption_key` stands here in plain text" in str(warning)
    assert "Kanarien" not in f"{warning}{config!r}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("store: fiel", "1:8: `store` must be one of memory, file; did you mean `file`?"),
        ("store: true", "1:8: `store` must be one of memory, file"),
        ("store: []", "1:8: `store` must be one of memory, file"),
        ("store: {}", "1:1: `store` needs `file`: the directory"),
        ("store: {encryption_key: {env: K}}", "1:1: `store` needs `file`"),
        ("store: {fil: a}", "1:9: unknown key `fil`; did you mean `file`?"),
        ("store: {file: c.yaml}", "1:15: `file` names"),
        ("encryption_key: {env: K}", "1:1: unknown key `encryption_key`; it belongs to `store`"),
    ],
)
def test_a_wrong_store_is_located_and_told_what_would_be_right(
    problems: Callable[[str], list[str]], text: str, expected: str
) -> None:
    (found,) = problems(text)
    assert expected in found
