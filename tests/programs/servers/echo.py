"""A websocket server that says everything back: ``echo.py PORT``.

It pings often, offers a subprotocol, and on "bye" ends the connection with a code of its own.
"""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        if message == "bye":
            await connection.close(4001, "as you wish")
        else:
            await connection.send(message)


async def main(port: int) -> None:
    async with serve(
        echo, "127.0.0.1", port, max_size=None, ping_interval=0.5, subprotocols=["echo"]
    ) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
