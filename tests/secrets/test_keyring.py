"""Secrets in the keyring, by the real library and a backend of ours."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import PasswordSetError

from proxy.config import model
from proxy.errors import SecretError
from proxy.secret import Secret
from proxy.secrets import keyring as ours
from proxy.secrets.references import source

HERE = model.Position("c.yaml", 1, 1)


class Ring(KeyringBackend):
    priority = 5  # type: ignore[assignment] - the library's own backends do it so

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise RuntimeError("canary")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise PasswordSetError("canary")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def test_a_password_is_read_anew_each_time(ring: Ring) -> None:
    place = source(model.KeyringSecret("service", "name", HERE), {})
    ring.kept["service", "name"] = "first"
    assert place.read() == Secret("first")
    ring.kept["service", "name"] = "second"
    assert place.read() == Secret("second")
    assert place.warnings() == ()


@pytest.mark.usefixtures("ring")
def test_an_absent_password_is_told_with_the_command_that_sets_it() -> None:
    with pytest.raises(SecretError, match="service/name; keyring set service name"):
        ours.KeyringSource("service", "name").read()


@pytest.mark.usefixtures("ring")
def test_what_is_kept_is_found() -> None:
    assert ours.usable()
    assert ours.find("service", "name") is None
    ours.keep("service", "name", Secret("value"))
    assert ours.find("service", "name") == Secret("value")
    ours.forget("service", "name")
    assert ours.find("service", "name") is None
    with pytest.raises(SecretError):
        ours.forget("service", "name")


def test_a_keyring_that_fails_is_told_by_its_error_class_alone(ring: Ring) -> None:
    ring.locked = True
    with pytest.raises(SecretError, match=r"can't be used \(RuntimeError\); unlock it") as caught:
        ours.find("service", "name")
    assert "canary" not in str(caught.value)
    with pytest.raises(SecretError, match=r"PasswordSetError") as caught:
        ours.keep("service", "name", Secret("value"))
    assert "canary" not in str(caught.value)


def test_a_machine_without_a_keyring_has_no_usable_one() -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    try:
        assert not ours.usable()
        with pytest.raises(SecretError, match="NoKeyringError"):
            ours.find("service", "name")
    finally:
        keyring.set_keyring(before)
