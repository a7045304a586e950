"""Resolves where tokens are kept."""

from __future__ import annotations

from proxy.config.addresses import is_loopback
from proxy.config.file_keys import FileKeys, StoreKeys
from proxy.config.model import FileStore, PlainSecret, RedisStore, SecretReference, Store
from proxy.config.redis_url import RedisUrl
from proxy.config.report import Report, Section
from proxy.config.shared import secret, tls
from proxy.config.surroundings import Surroundings


def resolve(file: FileKeys, report: Report, around: Surroundings) -> Store | None:
    """The store, or None for this process's memory."""
    if file.store is None:
        return None
    section = report.section("store")
    if file.store.redis is not None:
        return _redis(file.store, file.store.redis, section, around)
    if "file" not in file.store.model_fields_set:
        section.missing(
            ("file", "redis"),
            "`store` needs `file`, the directory that tokens are kept in, or `redis`, a URL",
        )
    for key in ("password", "tls"):
        if getattr(file.store, key) is not None:
            section.unfit(key, f"`{key}` belongs to `redis`")
    directory = around.path(file.store.file or f"{file.state_dir}/tokens")
    if directory.exists() and not directory.is_dir():
        section.wrong("file", f"`file` names {directory}, a file: a directory is needed")
    return FileStore(
        directory, secret(file.store.encryption_key, "encryption_key", section, around)
    )


def _redis(
    keys: StoreKeys, url: RedisUrl, section: Section, around: Surroundings
) -> RedisStore | None:
    if "file" in keys.model_fields_set:
        section.unfit("file", "`file` and `redis` exclude each other")
    if keys.tls is not None and not url.place.secure:
        section.unfit("tls", "`tls` needs a URL that begins with rediss")
    key = secret(keys.encryption_key, "encryption_key", section, around)
    if key is None:
        section.missing(
            "encryption_key",
            "`redis` needs `encryption_key`, the same wherever the store is shared; "
            "`openssl rand -base64 32` makes one",
        )
        return None
    password = _password(keys, url, section, around)
    _warn_unencrypted(url, section)
    return RedisStore(url.place, key, password, tls(keys.tls, section, around), section.at("redis"))


def _password(
    keys: StoreKeys, url: RedisUrl, section: Section, around: Surroundings
) -> SecretReference | None:
    if url.password is None:
        return secret(keys.password, "password", section, around)
    if keys.password is not None:
        section.unfit("password", "`password` stands in the URL as well: leave it out there")
    section.warn(
        "redis",
        "`redis` holds a password in plain text: use `password: {env: NAME}` or {file: path}",
    )
    return PlainSecret(url.password, section.at("redis"))


def _warn_unencrypted(url: RedisUrl, section: Section) -> None:
    place = url.place
    if not (place.secure or all(is_loopback(host) for host, _ in place.hosts)):
        section.warn(
            "redis", "`redis` is another machine, reached without encryption: use rediss://"
        )
