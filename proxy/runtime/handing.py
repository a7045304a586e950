"""What ``token-sidecar exec`` hands to a program: which variable holds which credential's token.

Pure: knows neither tokens nor processes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from proxy.errors import SidecarError

SINGLE: Final = "TOKEN_SIDECAR_TOKEN"
"""Where the token is if there is only one."""
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class HandingError(SidecarError):
    """The command line does not say what goes where; the rest of a sentence for the person."""


def handed(words: Sequence[str], variable: str | None) -> dict[str, str]:
    """Variable → the credential whose token it holds.

    Args:
        words: each ``NAME`` or ``NAME=VARIABLE``.
        variable: takes the place of the usual ones, for a single name.

    Raises:
        HandingError: there is no name, no variable of this name can be, or two would be one.
    """
    if not words:
        raise HandingError("name at least one credential before `--`")
    if variable is not None and (len(words) != 1 or "=" in words[0]):
        raise HandingError("--env goes with a single NAME; with more write NAME=VARIABLE")
    found: dict[str, str] = {}
    for word in words:
        name, _, given = word.partition("=")
        for target in _targets(name, variable or given, single=len(words) == 1):
            _put(found, target, name)
    return found


def variable_for(name: str, prefix: str = "TOKEN_") -> str:
    """The variable that a credential's name leads to: ``TOKEN_MY_API`` for ``my-api``."""
    return prefix + re.sub(r"[^A-Z0-9]", "_", name.upper())


def _targets(name: str, given: str, *, single: bool) -> list[str]:
    if given:
        return [given]
    return [SINGLE, variable_for(name)] if single else [variable_for(name)]


def _put(found: dict[str, str], target: str, name: str) -> None:
    if not _VARIABLE.fullmatch(target):
        raise HandingError(f"{target} can't be a variable's name: letters, digits and _ make one")
    if found.setdefault(target, name) != name:
        raise HandingError(
            f"both {found[target]} and {name} would be in {target}: write {name}=VARIABLE"
        )
