"""Whether somebody listens on a loopback port."""

from __future__ import annotations

import asyncio


async def accepts(port: int) -> bool:
    """Whether something listens on this loopback port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
