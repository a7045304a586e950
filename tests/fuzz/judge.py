"""What must hold between a client's bytes and the upstream's, whatever the bytes were.

Each complaint is on the unsafe side: somebody upstream would read what nobody has sent, or
something went up that must stay here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from tests.fuzz.readers import Request, lenient, strict
from tests.fuzz.stage import Outcome

AUTHORITY = re.compile(rb"^https?://[^/?]*", re.IGNORECASE)
STAYS = re.compile(
    rb"proxy-.*|x-forwarded-.*|x-token-sidecar.*|forwarded|x-real-ip|cookie|keep-alive"
    rb"|http2-settings|trailers"
)
NEVER_NOMINATED = {b"host", b"content-length", b"transfer-encoding", b"te", b"upgrade", b"close"}
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
KEY = b"n0te"
TOKEN = b"Bearer token-1"
STRICTER_THAN_THE_RFC = re.compile(
    rb"[0-9A-Fa-f][ \t]+;|\n0[^\n]*\n(?:[^\r\n]+\r\n)*?(?:content-length|transfer-encoding):",
    re.IGNORECASE,
)


def complaints(raw: bytes, outcome: Outcome) -> Iterator[str]:
    """What is wrong with what was forwarded for ``raw``."""
    came = strict(raw)
    went = [request for stream in outcome.streams for request in strict(stream)]
    for chunks_first in (True, False):
        read = [r for s in outcome.streams for r in lenient(s, chunks_first=chunks_first)]
        if len(read) > len(came):
            yield f"{len(read)} requests went up, {len(came)} came"
        if sum(r.complete for r in read) > sum(r.complete for r in came):
            yield "more whole requests went up than came"
        if [(r.method, r.body) for r in read if r.complete] != [
            (r.method, r.body) for r in went if r.complete
        ]:
            yield "two readers do not see the same requests"
    yield from _unsent(came, went)
    for request in went:
        yield from _in_head(request)
        yield from _in_trailers(request)
    if outcome.keyed and any(KEY in value for r in went for value in r.all(b"authorization")):
        yield "a client key went up"


def tolerated(raw: bytes) -> bool:
    """Whether h11 may have refused what is to be read: a space before a chunk's ``;`` (RFC 9112
    section 7.1.1), or framing among the trailers, which are to be ignored (RFC 9110 section 6.5.1).
    """
    return bool(STRICTER_THAN_THE_RFC.search(raw))


def same(one: Outcome, other: Outcome) -> bool:
    """Whether two ways of cutting the same bytes had the same end."""
    return (_whole(one), one.statuses, one.open) == (_whole(other), other.statuses, other.open)


def _whole(outcome: Outcome) -> list[Request]:
    return [request for stream in outcome.streams for request in strict(stream) if request.complete]


def _unsent(came: list[Request], went: list[Request]) -> Iterator[str]:
    """Everything that went up was sent, in this order."""
    left = iter(came)
    for request in went:
        for candidate in left:
            if _alike(candidate, request):
                yield from _nominated(candidate, request)
                break
        else:
            yield f"nobody sent {request.method!r} {request.target!r} with {request.body!r}"


def _alike(came: Request, went: Request) -> bool:
    target = AUTHORITY.sub(b"", came.target)
    target = target if target.startswith(b"/") else b"/" + target
    target = target.replace(b"/open", b"/open/", 1) if _bare_route(target) else target
    body = came.body == went.body if went.complete else came.body.startswith(went.body)
    return came.method == went.method and target == went.target and body


def _bare_route(target: bytes) -> bool:
    return target.partition(b"?")[0] == b"/open"


def _nominated(came: Request, went: Request) -> Iterator[str]:
    names = {name.strip().lower() for v in came.all(b"connection") for name in v.split(b",")}
    names -= NEVER_NOMINATED | {b"authorization", b"", b"connection"}
    for name, value in went.fields:
        if name.replace(b"_", b"-") in {n.replace(b"_", b"-") for n in names}:
            yield f"the nominated {name!r}: {value!r} went up"


def _in_head(request: Request) -> Iterator[str]:
    plain = [(name.replace(b"_", b"-"), value) for name, value in request.fields]
    names = [name for name, _ in plain]
    if [value for name, value in plain if name == b"host"] != [b"upstream.example"]:
        yield "not exactly the upstream's Host"
    if names.count(b"content-length") + names.count(b"transfer-encoding") > 1:
        yield "two framings"
    if any(STAYS.fullmatch(name) for name in names):
        yield f"something that must stay here went up: {names}"
    for name, allowed in (
        (b"connection", {b"Upgrade", b"TE", b"Upgrade, TE"}),
        (b"te", {b"trailers"}),
        (b"upgrade", {b"websocket"}),
    ):
        if not {value for key, value in plain if key == name} <= allowed:
            yield f"the client's own {name!r} went up"
    if any(CONTROL.search(value) for _, value in plain):
        yield "a control byte went up"
    credentials = [value for name, value in plain if name == b"authorization"]
    if not request.target.startswith(b"/open/") and credentials != [TOKEN]:
        yield f"not exactly our credential, but {credentials}"
    if request.target.startswith(b"/open/") and TOKEN in credentials:
        yield "our credential on a route without one"
    yield from _in_target(request.target)


def _in_target(target: bytes) -> Iterator[str]:
    path = target.partition(b"?")[0]
    if b"#" in target or b"\\" in target or target.startswith(b"//"):
        yield f"the target {target!r} went up"
    for _ in range(3):
        path = unquote_to_bytes(path).replace(b"\\", b"/").replace(b"\xc0\xae", b".")
        parts = [part.partition(b";")[0] for part in path.split(b"/")]
        if b"." in parts or b".." in parts:
            yield f"the climbing target {target!r} went up"


def _in_trailers(request: Request) -> Iterator[str]:
    for name, _ in request.trailers:
        plain = name.replace(b"_", b"-")
        if STAYS.fullmatch(plain) or plain in {b"authorization", b"content-length", b"host"}:
            yield f"the trailer {name!r} went up"
