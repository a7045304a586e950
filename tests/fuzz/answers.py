"""What upstreams send to be judged: valid answers, near misses, mutations of both, raw noise."""

from __future__ import annotations

from random import Random

from tests.fuzz.mutation import mutated, picked
from tests.fuzz.requests import chunked

STARTS = (
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified", b"HTTP/1.0 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 299 \xff",
    b"HTTP/1.1 500 ",
)  # fmt: skip
ODD_STARTS = (
    b"HTTP/2 200 OK", b"HTTP/1.2 200 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1 20 OK", b"ICY 200 OK",
    b"HTTP/1.1 099 No", b"HTTP/1.1 2000 OK", b"HTTP/1.1 101 Switching Protocols", b"200 OK", b"",
    b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 +20 OK", b" HTTP/1.1 200 OK",
)  # fmt: skip
INFORMATIONAL = (
    b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nContent-Length: 38\r\n\r\n", b"HTTP/1.0 102 Processing\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n",
)  # fmt: skip
FIELDS = (
    b"Server: x", b"Date: y", b"Set-Cookie: a=b", b"Connection: keep-alive", b"X: \xff",
    b"Connection: close", b"Keep-Alive: timeout=5", b"Content-Type: text/plain", b'ETag: "x"',
)  # fmt: skip
HOSTILE_FIELDS = (
    b"Connection: content-length", b"Connection: transfer-encoding, close", b"X: a\rb", b"X: a\nb",
    b"X: a\r\nX: b", b"Bad Name: 1", b"X : 1", b" folded", b"X: a\x00", b"No colon", b": x",
    b"Upgrade: websocket", b"Proxy-Authenticate: Basic", b"Trailer: X-Sum", b"TE: trailers",
    b"Proxy-Connection: keep-alive", b"Content_Length: 3", b"Transfer_Encoding: chunked",
)  # fmt: skip
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
BODIES = (b"", b"a", b"abc", b"0\r\n\r\n", SECOND, b"5\r\nabcde\r\n0\r\n\r\n" + SECOND)
ODD_LENGTHS = (b"+%d", b"-%d", b"%d, %d", b"0x%d", b"%d ", b"%d_0", b"", b"0%d", b"%d;1")
ODD_CODINGS = (b"gzip, chunked", b"identity", b"Chunked", b"chunked ", b"chunked\t", b"xchunked")


def stream(random: Random) -> bytes:
    """What one upstream sends for one request, and behind it."""
    if random.random() < 0.03:
        return random.randbytes(random.randrange(1, 200))
    ahead = b"".join(random.choice(INFORMATIONAL) for _ in range(random.choice((0, 0, 0, 1, 2))))
    raw = ahead + _answer(random) + random.choice((b"",) * 8 + (SECOND, b"\r\n", b"x"))
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 3))):
        raw = mutated(random, raw)
    return raw


def _answer(random: Random) -> bytes:
    lines = [
        picked(random, FIELDS, HOSTILE_FIELDS, 0.3) for _ in range(random.choice((0, 0, 1, 2, 4)))
    ]
    framing, body = _body(random)
    lines += framing
    random.shuffle(lines)
    start = picked(random, STARTS, ODD_STARTS, 0.05)
    return b"\r\n".join([start, *lines]) + b"\r\n\r\n" + body


def _body(random: Random) -> tuple[list[bytes], bytes]:
    body, kind = random.choice(BODIES), random.random()
    counted = b"Content-Length: %d" % len(body)
    if kind < 0.2:
        return [], body
    if kind < 0.5:
        return [counted], body
    if kind < 0.75:
        return [b"Transfer-Encoding: chunked"], chunked(random, body)
    if kind < 0.8:
        return [counted, b"Transfer-Encoding: chunked"], chunked(random, body)
    if kind < 0.87:
        odd = random.choice(ODD_LENGTHS)
        return [b"Content-Length: " + odd.replace(b"%d", b"%d" % len(body))], body
    if kind < 0.93:
        return [b"Transfer-Encoding: " + random.choice(ODD_CODINGS)], chunked(random, body)
    wrong = b"Content-Length: %d" % random.choice((0, 1, 4, 38, 39, 10**17, 10**30))
    return random.choice(([wrong], [counted, wrong], [counted, counted])), body
