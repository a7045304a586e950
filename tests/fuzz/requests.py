"""What clients send to be judged: valid requests, near misses, mutations of both, raw noise.

All chance comes from the ``Random`` that is handed in, so that a seed or Hypothesis decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.fuzz.mutation import mutated, picked

METHODS = (b"GET", b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"PURGE")
ODD_METHODS = (b"get", b"CONNECT", b"TRACE", b"PRI", b"G(T", b"", b"GET\x00", b"M-SEARCH", b"X_Y")
TARGETS = (b"/", b"/x", b"/x?y=1", b"/open/x", b"/a%2Fb", b"/%2A", b"/a//b", b"/a;b=c", b"/...")
ODD_TARGETS = (
    b"*", b"/..", b"/%2e%2e/x", b"/a/..%2fx", b"//evil/x", b"/x\\y", b"/x#y", b"/%00", b"/%0d%0a",
    b"http://localhost/x", b"http://evil.example/", b"http://u@localhost/", b"x", b"", b"/\xe9",
    b"/open/..;/x", b"/%c0%ae%c0%ae/", b"http://localhost", b"/open/%252e%252e/x", b"/x y",
)  # fmt: skip
VERSIONS = (b"HTTP/1.1",) * 9 + (b"HTTP/1.0",)
ODD_VERSIONS = (b"HTTP/2.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/1.10", b"http/1.1", b"", b"HTTP/11")
HOSTS = (b"Host: localhost", b"Host: localhost", b"host: 127.0.0.1", b"HOST:[::1]")
ODD_HOSTS = (
    b"Host: evil.example", b"Host:", b"Host: u@localhost", b"Host : localhost", b"X: y",
    b"Host: localhost\r\nHost: localhost", b"Host: localhost, evil.example", b"Host: localhost:1",
)  # fmt: skip
FIELDS = (
    b"Accept: */*", b"X-Id: 1", b"X-Id: 2", b"A:", b"X: 1", b"User-Agent: \xff\xfe", b"X_Custom: 1",
    b"Connection: keep-alive", b"Connection: close", b"TE: trailers", b"Expect: 100-continue",
    b"Content-Type: text/plain", b'If-None-Match: "x"', b"Range: bytes=0-1",
)  # fmt: skip
HOSTILE_FIELDS = (
    b"Connection: authorization", b"Connection: content-length, host", b"Connection: x-id",
    b"Connection: transfer-encoding", b"Authorization: Bearer mine", b"AUTHORIZATION: x",
    b"Authorization: Bearer n0te", b"X-Token-Sidecar-Key: n0te", b"X-Token_Sidecar_Key: n0te",
    b"X-Forwarded-For: 1.2.3.4", b"X_Forwarded_For: 1", b"Forwarded: for=x", b"X_Real_IP: 1",
    b"Proxy-Authorization: x", b"Proxy_Authorization: x", b"Cookie: a=b", b"Keep-Alive: 1",
    b"Upgrade: websocket\r\nConnection: upgrade", b"Upgrade: h2c\r\nConnection: upgrade",
    b"HTTP2-Settings: AAMA", b"Origin: https://evil.example", b"Sec-Fetch-Site: cross-site",
    b"Transfer_Encoding: chunked", b"Content_Length: 3", b"Trailer: X-Sum", b" folded: 1",
    b"No colon", b"Bad Name: 1", b"X: a\x00b", b"X: a\rb", b"X: a\nb", b": 1", b"X\x0b: 1",
)  # fmt: skip
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODIES = (b"", b"a", b"abc", b"0\r\n\r\n", b"\r\n\r\n", SMUGGLED)
BODIES += (b"5\r\nabcde\r\n0\r\n\r\n" + SMUGGLED,)
ODD_LENGTHS = (b"+%d", b"-%d", b"%d, %d", b"0x%d", b"%d ", b"\t%d", b"%d_0", b"", b"0%d", b"%d;1")
ODD_CHUNKS = (b"0x1\r\na\r\n", b"-1\r\n", b"+1\r\na\r\n", b"F" * 17 + b"\r\n", b"\r\n")
ODD_CODINGS = (
    b"gzip, chunked", b"chunked, gzip", b"identity", b"xchunked", b"Chunked", b"chunked ",
    b"chunked\t", b"\x0bchunked", b'"chunked"', b"chunked;q=1", b",chunked", b"chunked, chunked",
)  # fmt: skip
EXTENSIONS = (b"", b"", b"", b";a", b";a=b", b';a="x"', b" ", b";\x00", b";\n")
TRAILERS = (b"", b"", b"X-Sum: 1\r\n", b"Authorization: x\r\n", b"Content-Length: 9\r\n", b" x\r\n")


def stream(random: Random, keys: Sequence[bytes] = ()) -> bytes:
    """What one client sends on one connection; mostly with one of these fields, if there are."""
    if random.random() < 0.03:
        return random.randbytes(random.randrange(1, 200))
    raw = b"".join(_message(random, keys) for _ in range(random.choice((1, 1, 1, 2, 3))))
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 3))):
        raw = mutated(random, raw)
    return raw


def _message(random: Random, keys: Sequence[bytes]) -> bytes:
    start = b"%b %b %b" % (
        picked(random, METHODS, ODD_METHODS, 0.03),
        picked(random, TARGETS, ODD_TARGETS, 0.08),
        picked(random, VERSIONS, ODD_VERSIONS, 0.03),
    )
    lines = [picked(random, HOSTS, ODD_HOSTS, 0.05)]
    lines += [
        picked(random, FIELDS, HOSTILE_FIELDS, 0.4) for _ in range(random.choice((0, 0, 1, 2, 4)))
    ]
    if random.random() < 0.3:
        lines.append(b"X-Request-Id: %x" % random.getrandbits(32))
    if keys and random.random() < 0.8:
        lines.append(random.choice(keys))
    framing, body = _body(random)
    lines += framing
    random.shuffle(lines)
    ahead = b"\r\n" * random.choice((0,) * 12 + (1, 2))
    return ahead + b"\r\n".join([start, *lines]) + b"\r\n\r\n" + body


def _body(random: Random) -> tuple[list[bytes], bytes]:
    body, kind = random.choice(BODIES), random.random()
    counted = b"Content-Length: %d" % len(body)
    if kind < 0.3:
        return [], b""
    if kind < 0.5:
        return [counted], body
    coded = chunked(random, body)
    if kind < 0.7:
        return [b"Transfer-Encoding: chunked"], coded
    if kind < 0.8:
        return [counted, b"Transfer-Encoding: chunked"], coded
    if kind < 0.87:
        odd = random.choice(ODD_LENGTHS)
        return [b"Content-Length: " + odd.replace(b"%d", b"%d" % len(body))], body
    if kind < 0.94:
        return [b"Transfer-Encoding: " + random.choice(ODD_CODINGS)], coded
    wrong = b"Content-Length: %d" % random.choice((0, 1, 4, 38, 39, 10**17, 10**30))
    return random.choice(([wrong], [counted, wrong], [counted, counted])), body


def chunked(random: Random, body: bytes) -> bytes:
    """The body in chunks, with a chance of each thing that may be wrong with them."""
    coded, size = b"", random.choice((1, 3, 100))
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        coded += b"%x%b\r\n%b\r\n" % (len(piece), random.choice(EXTENSIONS), piece)
    if random.random() < 0.05:
        coded += random.choice(ODD_CHUNKS)
    return coded + b"0\r\n" + random.choice(TRAILERS) + b"\r\n"
