"""What is kept is sealed: bound to key and identity, and damage is told from a wrong key."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as some

from proxy.errors import StoreError
from proxy.stores.key import Key, key, text_of
from proxy.stores.sealing import MAGIC, Damaged, Seal
from tests.support.stores import KEY

SEALED = Seal(KEY).seal(b"content", "one")


@given(some.binary(), some.text(some.characters(codec="utf-8")))
def test_what_was_sealed_is_opened(content: bytes, identity: str) -> None:
    assert Seal(KEY).open(Seal(KEY).seal(content, identity), identity, "x") == content


def test_the_same_content_is_sealed_differently_each_time() -> None:
    assert Seal(KEY).seal(b"content", "one") != SEALED


def test_an_entry_of_another_identity_is_damage() -> None:
    with pytest.raises(Damaged):
        Seal(KEY).open(SEALED, "other", "x")


@given(some.integers(0, len(SEALED) - 1), some.integers(1, 255))
def test_no_byte_can_be_changed(at: int, by: int) -> None:
    changed = SEALED[:at] + bytes([SEALED[at] ^ by]) + SEALED[at + 1 :]
    with pytest.raises((Damaged, StoreError)):
        Seal(KEY).open(changed, "one", "x")


@given(some.integers(0, len(SEALED) - 1))
def test_no_part_of_it_is_opened(length: int) -> None:
    with pytest.raises((Damaged, StoreError)):
        Seal(KEY).open(SEALED[:length], "one", "x")


def test_another_key_is_told_and_no_damage() -> None:
    with pytest.raises(StoreError, match=r"dir/x is encrypted with another key than the env"):
        Seal(Key(bytes(32), "the env")).open(SEALED, "one", "dir/x")


def test_a_newer_format_is_told_and_no_damage() -> None:
    with pytest.raises(StoreError, match="another version"):
        Seal(KEY).open(SEALED.replace(MAGIC, b"token-sidecar entry 2\n"), "one", "x")


@pytest.mark.parametrize("write", [text_of, bytes.hex, lambda value: f" {text_of(value)}\n"])
def test_a_key_is_base64_or_hexadecimal(write: object) -> None:
    value = secrets.token_bytes(32)
    assert key(write(value), "x").value == value  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "correct horse battery staple", "A" * 42, "z" * 64, "é"])
def test_anything_else_is_no_key_and_is_not_shown(text: str) -> None:
    with pytest.raises(StoreError, match=r"^the env is no key: .*openssl rand") as caught:
        key(text, "the env")
    assert not text or text not in str(caught.value)
    assert repr(KEY.value) not in repr(KEY)
