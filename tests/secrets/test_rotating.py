from __future__ import annotations

import pytest

from proxy.errors import SecretError
from proxy.secrets.rotating import WINDOW, Rotating
from proxy.secrets.source import EnvSource
from tests.support.clock import FakeClock


class Rotation:
    """A secret in a variable that a test changes."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.environ = {"S": "old"}
        self.secret = Rotating(EnvSource("S", self.environ), self.clock)

    def read(self) -> str:
        return self.secret.read().reveal()

    def refused(self) -> str:
        """What is tried after the last value was refused."""
        self.secret.refused()
        return self.read()


@pytest.fixture
def rotation() -> Rotation:
    return Rotation()


@pytest.fixture
def changed(rotation: Rotation) -> Rotation:
    rotation.read()
    rotation.environ["S"] = "new"
    return rotation


def test_a_secret_that_never_changed_is_not_recent(rotation: Rotation) -> None:
    assert rotation.read() == "old"
    assert not rotation.secret.is_recent()
    assert rotation.refused() == "old"


def test_the_new_value_is_tried_first(changed: Rotation) -> None:
    assert changed.read() == "new"
    assert changed.secret.is_recent()
    assert changed.read() == "new"


def test_refusals_take_new_and_old_in_turn(changed: Rotation) -> None:
    assert changed.read() == "new"
    assert [changed.refused() for _ in range(4)] == ["old", "new", "old", "new"]


async def test_after_a_minute_only_the_new_value_is_left(changed: Rotation) -> None:
    changed.read()
    assert changed.refused() == "old"
    await changed.clock.advance(WINDOW - 1)
    assert changed.read() == "old"
    await changed.clock.advance(1)
    assert changed.read() == "new"
    assert not changed.secret.is_recent()
    assert changed.refused() == "new"


def test_another_change_starts_with_its_new_value(changed: Rotation) -> None:
    changed.read()
    assert changed.refused() == "old"
    changed.environ["S"] = "newer"
    assert changed.read() == "newer"
    assert changed.refused() == "new"


def test_a_value_that_can_not_be_read_is_no_change(changed: Rotation) -> None:
    del changed.environ["S"]
    with pytest.raises(SecretError):
        changed.read()
    changed.environ["S"] = "old"
    assert changed.read() == "old"
    assert not changed.secret.is_recent()
