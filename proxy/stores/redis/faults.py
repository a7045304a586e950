"""Turns what redis-py raises into one error of ours; its words hold no password and no value."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions

from proxy.errors import StoreError

FAULTS = (exceptions.RedisError, OSError, asyncio.TimeoutError)
"""What a command may end with."""


@contextmanager
def told(place: str) -> Iterator[None]:
    """Have faults of what is inside told as faults of the server at ``place``.

    Raises:
        StoreError: instead of any of ``FAULTS``.
    """
    try:
        yield
    except FAULTS as fault:
        raise StoreError(f"{place} {reason(fault)}") from None


def reason(fault: Exception) -> str:
    """What happened and what to do; of the server's own words only the first, its code."""
    match fault:
        case exceptions.NoPermissionError():
            return (
                "lets its user not do what the store needs (NOPERM): `ACL SETUSER` as in"
                " docs/store.md"
            )
        case exceptions.AuthenticationError():
            return "refuses the user or the password: see `redis` and `password` of the store"
        case exceptions.ReadOnlyError():
            return "is a replica that takes no writes: name the primary, or its Sentinels"
        case exceptions.BusyLoadingError():
            return "is loading its data; it will be tried again"
        case exceptions.TimeoutError() | asyncio.TimeoutError():
            return "does not answer in time; it will be tried again"
        case exceptions.ResponseError():
            return f"answered with the error {_code(fault)}"
        case _:
            return f"can't be reached ({_innermost(fault)}); it will be tried again"


def _code(fault: Exception) -> str:
    first = str(fault).partition(" ")[0]
    return first if first.isalnum() and first.isupper() else type(fault).__name__


def _innermost(fault: BaseException) -> str:
    """The class of the first cause: a refused connection reads so, and nothing else is told."""
    seen: BaseException = fault
    for _ in range(5):
        below = seen.__cause__ or seen.__context__
        if below is None:
            break
        seen = below
    return type(seen).__name__
