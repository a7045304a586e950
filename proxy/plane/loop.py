"""Which event loop the process runs on: uvloop where there is one, else asyncio's own.

The only place that knows uvloop exists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop; None means asyncio's default (Windows has no uvloop)."""
    try:
        import uvloop  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end on the fastest loop there is and give back what it returned."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main)
