"""Which variable holds which token."""

from __future__ import annotations

import pytest

from proxy.runtime.handing import HandingError, handed


@pytest.mark.parametrize(
    ("words", "variable", "expected"),
    [
        (["api"], None, {"TOKEN_SIDECAR_TOKEN": "api", "TOKEN_API": "api"}),
        (["my-api.v2"], None, {"TOKEN_SIDECAR_TOKEN": "my-api.v2", "TOKEN_MY_API_V2": "my-api.v2"}),
        (["api"], "KEY", {"KEY": "api"}),
        (["a", "b"], None, {"TOKEN_A": "a", "TOKEN_B": "b"}),
        (["a=KEY", "b"], None, {"KEY": "a", "TOKEN_B": "b"}),
        (["a=ONE", "a=TWO"], None, {"ONE": "a", "TWO": "a"}),
        (["a", "a"], None, {"TOKEN_A": "a"}),
    ],
)
def test_each_token_has_its_place(
    words: list[str], variable: str | None, expected: dict[str, str]
) -> None:
    assert handed(words, variable) == expected


@pytest.mark.parametrize(
    ("words", "variable", "said"),
    [
        ([], None, "at least one"),
        (["a", "b"], "KEY", "single NAME"),
        (["a=X"], "KEY", "single NAME"),
        (["a=1X"], None, "can't be a variable's name"),
        (["a"], "K=V", "can't be a variable's name"),
        (["a-b", "a_b"], None, "both a-b and a_b would be in TOKEN_A_B"),
        (["a=X", "b=X"], None, "both a and b would be in X"),
    ],
)
def test_what_can_not_be_is_told(words: list[str], variable: str | None, said: str) -> None:
    with pytest.raises(HandingError, match=said):
        handed(words, variable)
