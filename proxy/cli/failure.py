"""What a failure means to whoever called the program: an exit code and a line or two.

A traceback is for developers: it shows only where ``TOKEN_SIDECAR_DEBUG`` is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from proxy.errors import (
    ConfigurationError,
    CredentialRefused,
    CredentialUnavailable,
    DraftError,
    Failure,
    SecretError,
    SidecarError,
    TokenRequestError,
    UnlendableError,
)

RUNTIME = 1
CONFIGURATION = 2
REFUSED = 3
UNREACHABLE = 4


def exit_code(error: BaseException) -> int:
    """The exit code that ``error`` stands for."""
    match error:
        case ConfigurationError() | SecretError() | DraftError() | UnlendableError():
            return CONFIGURATION
        case CredentialRefused():
            return REFUSED
        case CredentialUnavailable():
            return UNREACHABLE
        case TokenRequestError():
            return token_request_code(error)
        case _:
            return RUNTIME


def token_request_code(error: TokenRequestError) -> int:
    """Refused where the provider said so in a 4xx, else unreachable."""
    refused = error.failure in {Failure.TERMINAL, Failure.SLOW}
    return REFUSED if refused else UNREACHABLE


def explain(error: BaseException, stream: TextIO, environ: Mapping[str, str]) -> None:
    """Say on ``stream`` what happened, where, and what to do."""
    if isinstance(error, ConfigurationError):
        for problem in error.problems:
            print(problem, file=stream)
    elif isinstance(error, SidecarError):
        print(f"token-sidecar: {error}", file=stream)
    else:
        print(f"token-sidecar: unexpected {type(error).__name__}; this is a bug", file=stream)
    if environ.get("TOKEN_SIDECAR_DEBUG"):
        import traceback  # noqa: PLC0415 - for developers

        traceback.print_exception(error, file=stream)
