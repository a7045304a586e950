from collections.abc import Callable

import pytest

CLIENT = "token_url: https://i/t, client_id: a, client_secret: {env: S}"


def only(problems: list[str]) -> str:
    (found,) = problems
    assert "not in this version" in found
    assert "unknown" not in found
    return found


@pytest.mark.parametrize(
    "text",
    [
        "clients: {a: {key: {vault: a#b}}}",
        "vault: {address: https://v}",
    ],
)
def test_a_key_of_a_later_version_is_known(problems: Callable[[str], list[str]], text: str) -> None:
    only(problems(text))


@pytest.mark.parametrize(
    "keys",
    [
        "grant: static, token: {vault: a#b}",
        "grant: static, token: {command: [a]}",
        "grant: static, token: {systemd: A}",
        "grant: static, token: {file: a, every: 60s}",
    ],
)
def test_a_value_of_a_later_version_is_known(
    problems: Callable[[str], list[str]], keys: str
) -> None:
    only(problems(f"credentials:\n  a: {{{keys}}}\n"))
