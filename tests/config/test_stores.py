from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.model import (
    Config,
    EnvSecret,
    FileSecret,
    FileStore,
    KeyringSecret,
    PlainSecret,
    RedisPlace,
    RedisStore,
    Tls,
)

KEY = "encryption_key: {env: K}"


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
    assert isinstance(store, FileStore)
    assert store.directory == directory / "t"
    assert isinstance(store.key, FileSecret)
    store = loaded("store: {file: ~/t, encryption_key: {keyring: a/b}}").store
    assert isinstance(store, FileStore)
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
        ("store: {}", "1:1: `store` needs `file`, the directory"),
        ("store: {encryption_key: {env: K}}", "1:1: `store` needs `file`"),
        ("store: {fil: a}", "1:9: unknown key `fil`; did you mean `file`?"),
        ("store: {file: c.yaml}", "1:15: `file` names"),
        ("store: redis", "1:8: `store` needs its URL: {redis: 'redis://host:6379/0', encryption_"),
        ("store: {file: t, tls: {}}", "1:18: `tls` belongs to `redis`"),
        ("store: {file: t, password: {env: P}}", "1:18: `password` belongs to `redis`"),
        ("store: {redis: 'redis://r'}", "1:1: `redis` needs `encryption_key`, the same wherever"),
        (f"store: {{redis: 'redis://[::1]', file: t, {KEY}}}", "1:33: `file` and `redis` exclude"),
        (f"store: {{redis: 'redis://r', tls: {{}}, {KEY}}}", "1:29: `tls` needs a URL that begins"),
        (
            f"store: {{redis: 'redis://a:b@r', password: {{env: P}}, {KEY}}}",
            "1:33: `password` stands in the URL as well",
        ),
        ("encryption_key: {env: K}", "1:1: unknown key `encryption_key`; it belongs to `store`"),
    ],
)
def test_a_wrong_store_is_located_and_told_what_would_be_right(
    problems: Callable[[str], list[str]], text: str, expected: str
) -> None:
    (found,) = problems(text)
    assert expected in found


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://127.0.0.1", RedisPlace("tcp", (("127.0.0.1", 6379),))),
        ("redis://localhost:1/", RedisPlace("tcp", (("localhost", 1),))),
        ("redis://[::1]:6380/3", RedisPlace("tcp", (("::1", 6380),), db=3)),
        ("rediss://me@R:1", RedisPlace("tcp", (("r", 1),), username="me", secure=True)),
        ("redis+unix:///run/r.sock", RedisPlace("unix", path="/run/r.sock")),
        (
            "rediss+sentinel://m%40e@a,b:1/main/2",
            RedisPlace("sentinel", (("a", 26379), ("b", 1)), "", "m@e", "main", 2, secure=True),
        ),
        (
            "rediss+cluster://a:1,b/",
            RedisPlace("cluster", (("a", 1), ("b", 6379)), secure=True),
        ),
    ],
)
def test_redis_is_named_by_its_url(
    loaded: Callable[[str], Config], url: str, place: RedisPlace
) -> None:
    config = loaded(f"store: {{redis: '{url}', {KEY}}}")
    assert isinstance(config.store, RedisStore)
    assert config.store.place == place
    assert isinstance(config.store.key, EnvSecret)
    assert (config.store.password, config.store.tls, config.warnings) == (None, Tls(), ())


@pytest.mark.parametrize(
    "url",
    [
        "r",
        "http://r",
        "redis://",
        "redis://a,b",
        "redis://a:0",
        "redis://a:70000",
        "redis://a:b:c",
        "redis://a/x",
        "redis://a/²",
        "redis://u@",
        "redis+sentinel://a",
        "redis+sentinel:///m",
        "redis+cluster://a/1",
        "redis+cluster://",
        "redis+unix://a/b",
        "rediss+unix:///b",
        "redis+unix:///",
        "redis+tls://a",
        "redis://me:Kanarien-v0gel@a/x",
    ],
)
def test_a_url_that_names_no_redis_is_told_and_not_repeated(
    problems: Callable[[str], list[str]], url: str
) -> None:
    (found,) = problems(f"store: {{redis: '{url}', {KEY}}}")
    assert found.startswith("1:16: `redis` must ")
    assert "Kanarien" not in found


def test_a_password_in_the_url_is_a_secret_and_warned_about(
    loaded: Callable[[str], Config],
) -> None:
    config = loaded(f"store: {{redis: 'redis://me:Kanarien%2Dv0gel@localhost', {KEY}}}")
    assert isinstance(config.store, RedisStore)
    assert isinstance(config.store.password, PlainSecret)
    assert config.store.password.value.reveal() == "Kanarien-v0gel"
    (warning,) = config.warnings
    assert "1:16: `redis` holds a password in plain text" in str(warning)
    assert "Kanarien" not in f"{warning}{config!r}"


def test_a_password_and_tls_have_keys_of_their_own(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    (directory / "ca.pem").touch()
    more = "tls: {ca_file: ca.pem}, password: {file: p}"
    config = loaded(f"store: {{redis: 'rediss://me@r', {KEY}, {more}}}")
    assert isinstance(config.store, RedisStore)
    assert isinstance(config.store.password, FileSecret)
    assert config.store.tls == Tls(ca_file=directory / "ca.pem")
    assert not config.warnings


def test_another_machine_without_encryption_is_warned_about(
    loaded: Callable[[str], Config],
) -> None:
    (warning,) = loaded(f"store: {{redis: 'redis://r.example.com', {KEY}}}").warnings
    assert "`redis` is another machine, reached without encryption" in str(warning)
