"""``POST /v1/reload`` and ``POST /v1/diff``: read the file again, or see what one would do.

Decides who may ask and how the outcome is told; reading, checking and changing are behind a port.
RFC 9457 for what was wrong.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aiohttp import web

from proxy.control.permission import caller, marked
from proxy.control.problem import problem
from proxy.errors import Problem, SidecarError
from proxy.http1.refusal import MessageError
from proxy.plane.guard import Guard

LONGEST: Final = 8 << 20
"""Bytes of a question: a configuration of 1 MiB, its text escaped as JSON."""


class NotNowError(SidecarError):
    """No configuration can be read now: the process ends, or is one that never reloads."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of reading a configuration.

    Attributes:
        changes: what is other than before, or would be; see ``Differences.document``.
        problems: why it was refused; empty: it was not.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem | str, ...] = ()


class Reloading(Protocol):
    """What reads configurations; ``runtime.reload.Reloader`` is one."""

    async def reload(self) -> Outcome:
        """Read the file again and change to it; NotNowError where that can't be."""

    async def compare(self, name: str, text: str) -> Outcome:
        """What would change with this text in the file's place, called ``name`` in messages."""


Current = Callable[[], Reloading | None]


def reloading(current: Current, guard: Callable[[], Guard]) -> list[web.RouteDef]:
    """The two routes."""

    async def reload(request: web.Request) -> web.Response:
        marked(request)
        caller(request, guard())
        return told(await _present(current).reload(), "the old configuration stays")

    async def compare(request: web.Request) -> web.Response:
        marked(request)
        if caller(request, guard()) is not None:
            raise MessageError("only our own user may have a configuration read", 403)
        name, text = await _question(request)
        return told(await _present(current).compare(name, text), "it would be refused")

    return [
        web.post("/v1/reload", _answering(reload)),
        web.post("/v1/diff", _answering(compare)),
    ]


def told(outcome: Outcome, otherwise: str) -> web.Response:
    """The answer; 422 with every problem where there are some."""
    if not outcome.problems:
        return web.json_response(dict(outcome.changes))
    count = len(outcome.problems)
    what = "1 problem" if count == 1 else f"{count} problems"
    every = [_problem(one) for one in outcome.problems]
    return problem(422, f"{what} in the configuration; {otherwise}", problems=every)


def _problem(one: Problem | str) -> dict[str, Any]:
    if isinstance(one, str):
        return {"message": one}
    return {"file": one.file, "line": one.line, "column": one.column, "message": one.message}


def _present(current: Current) -> Reloading:
    found = current()
    if found is None:
        raise NotNowError("this sidecar is one program's own and keeps its configuration")
    return found


def _answering(
    act: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        try:
            return await act(request)
        except MessageError as refused:
            return problem(refused.status, str(refused))
        except NotNowError as error:
            return problem(503, str(error))

    return handler


async def _question(request: web.Request) -> tuple[str, str]:
    """The name and text of a configuration.

    Raises:
        MessageError: the body is not that.
    """
    try:
        said = json.loads(await _body(request))
        name, text = said["name"], said["text"]
    except (ValueError, RecursionError, KeyError, TypeError):
        name = text = None
    if not isinstance(name, str) or not isinstance(text, str):
        raise MessageError('the body must be {"name": "new.yaml", "text": "…"}')
    return name, text


async def _body(request: web.Request) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > LONGEST:
            raise MessageError("no configuration is that long", 413)
    return bytes(body)
