"""The websockets client: ``talk.py URL WHOAMI``.

``WHOAMI`` tells which token goes out now.
"""

import asyncio
import hashlib
import json
import os
import sys
import urllib.request
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

SIZES = (0, 1, 125, 126, 65535, 65536, 3 << 20)
OTHERS = {"Authorization": "Bearer definitely_an_access_token"}


async def said_back(connection: ClientConnection, message: str | bytes) -> bool:
    """Whether a message comes back whole and as what it was."""
    await connection.send(message)
    return await connection.recv() == message


async def fragmented(connection: ClientConnection) -> str:
    """The checksum of a message that is sent in many frames."""
    piece = b"\x00\xff" * 5000
    await connection.send([piece] * 50)
    return hashlib.sha256(await connection.recv()).hexdigest()


async def outlives(connection: ClientConnection, whoami: str) -> dict[str, Any]:
    """Talk on one connection while three tokens come and go, the server pinging all the while."""
    used, right, requests = set(), 0, 0
    while len(used) < 3:
        right += await said_back(connection, f"message {requests}")
        requests += 1
        used.add(await asyncio.to_thread(token, whoami))
        await asyncio.sleep(0.02)
    return {"requests": requests, "right": right, "used": sorted(used)}


def token(whoami: str) -> str:
    with urllib.request.urlopen(whoami) as answer:
        return str(answer.read().decode())


async def ended(connection: ClientConnection) -> list[Any]:
    """Code and reason of an end that the server was asked for."""
    await connection.send("bye")
    await connection.wait_closed()
    return [connection.close_code, connection.close_reason]


async def closing(url: str) -> list[Any]:
    """Code and reason of an end of our own, as the server confirmed it."""
    connection = await connect(url, subprotocols=["echo"], proxy=None)
    await connection.close(4002, "enough")
    return [connection.close_code, connection.close_reason]


async def main(url: str, whoami: str) -> dict[str, Any]:
    options: Any = {"max_size": None, "additional_headers": OTHERS, "proxy": None}
    async with connect(url, subprotocols=["other", "echo"], **options) as connection:
        return {
            "version": websockets.__version__,
            "subprotocol": connection.subprotocol,
            "extensions": [one.name for one in connection.protocol.extensions],
            "binary": [await said_back(connection, os.urandom(size)) for size in SIZES],
            "text": await said_back(connection, "häßlich €" * 1000),
            "fragmented": await fragmented(connection),
            "pong": await asyncio.wait_for(await connection.ping(b"there?"), 10) >= 0,
            "many": await outlives(connection, whoami),
            "ended": await ended(connection),
            "closing": await closing(url),
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
