"""Waits on a clock that may be a test's."""

from __future__ import annotations

from proxy.clock import Clock


async def pause(seconds: float, clock: Clock) -> None:
    """Wait so long, by ``clock``."""
    import asyncio  # noqa: PLC0415 - 60 ms that who only reads never pays

    over = asyncio.Event()
    timer = clock.call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()
