"""What the soak's upstream answers: a good response in any framing, or a bad one as planned.

Each function tells whether the connection lives on.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter

from bench.soak.bodies import CHUNK, TYPES, Body
from bench.soak.plan import FIELD, Plan

STALL = 30.0
"""Seconds; whoever waits for this has to give up before."""
PARTS = 8
"""So many events, at least, are sent one by one."""
RESET = struct.pack("ii", 1, 0)
KEPT = "Keep-Alive: timeout=3\r\n"


async def answer(reader: StreamReader, writer: StreamWriter, plan: Plan) -> bool:
    """What the plan wants."""
    match plan.fault:
        case "reset late":
            return reset(writer)
        case "reset in head":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
            await asyncio.sleep(0.01)
            return reset(writer)
        case "garbage":
            writer.write(b"HTTP/1.1 nothing that anybody could read\r\n\r\n")
            return False
        case "stall":
            await stall(reader)
            return False
        case "reset in body" | "end in body" | "stall in body":
            return await broken(reader, writer, plan)
    alive = await good(writer, plan)
    if plan.fault == "excess":
        writer.write(b"this is nobody's")
        return False
    if plan.fault == "end":
        await asyncio.sleep(plan.number % 50 / 1000)
        return False
    return alive


async def good(writer: StreamWriter, plan: Plan, *, close: bool = False) -> bool:
    """The right answer, whole."""
    writer.write(_head(plan, close=close))
    await _send(writer, plan.download, plan)
    if plan.framing == "chunked":
        writer.write(b"0\r\nX-Checked: yes\r\n\r\n")
    await writer.drain()
    if plan.framing == "close":
        writer.write_eof()
        return False
    return not close


async def broken(reader: StreamReader, writer: StreamWriter, plan: Plan) -> bool:
    """A good beginning that does not go on."""
    writer.write(_head(plan, close=False))
    await _send(writer, plan.download, plan, end=plan.at)
    if plan.fault == "stall in body":
        await stall(reader)
    elif plan.fault == "end in body":
        writer.write_eof()
        await stall(reader)
    else:
        reset(writer)
    return False


async def unauthorized(writer: StreamWriter, plan: Plan) -> None:
    """The token is not believed in."""
    head = f"HTTP/1.1 401 Unauthorized\r\n{FIELD}: {plan.number}\r\nContent-Length: 0\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()


async def stall(reader: StreamReader, longest: float = STALL) -> bool:
    """Say nothing until the other side leaves; False if it stays longer than that."""
    try:
        async with asyncio.timeout(longest):
            while await reader.read(65536):
                pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def reset(writer: StreamWriter) -> bool:
    """End the connection as rudely as it goes."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
    return False


def _head(plan: Plan, *, close: bool) -> bytes:
    length, framing = plan.down[1], plan.framing
    fields = f"Content-Type: {TYPES[plan.down[0]]}\r\n{FIELD}: {plan.number}\r\n"
    if framing == "length":
        fields += f"Content-Length: {length}\r\n"
    elif framing == "chunked":
        fields += "Transfer-Encoding: chunked\r\n"
    fields += "Connection: close\r\n" if close or framing == "close" else KEPT
    return f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode()


async def _send(writer: StreamWriter, body: Body, plan: Plan, end: int | None = None) -> None:
    step = max(1, min(CHUNK, body.size // PARTS)) if plan.pause else CHUNK
    for piece in body.pieces(end, step):
        chunk = b"%x\r\n%b\r\n" % (len(piece), piece) if plan.framing == "chunked" else piece
        writer.write(chunk)
        await writer.drain()
        if plan.pause:
            await asyncio.sleep(plan.pause)
