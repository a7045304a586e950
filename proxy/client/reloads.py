"""Asks a running sidecar to read its configuration again, or what another one would change.

Over its own Unix socket alone: the commands run beside it, as the same user.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from proxy.client.wire import Reply, ask
from proxy.errors import SidecarError

PATIENCE: Final = 90.0
"""Seconds that the answer may take: another reload may be under way, and secrets may be slow."""
_FIELDS: Final = {"X-Token-Sidecar": "1"}
_OK: Final = 200
_REFUSED: Final = 422


class NoAnswerError(SidecarError):
    """A sidecar is there and can't do it; the message says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the sidecar said.

    Attributes:
        refused: the configuration can't be used; ``said`` is a problem document then.
    """

    refused: bool
    said: Mapping[str, Any]

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the configuration, a line each, as ``check`` has it."""
        return tuple(_line(one) for one in self.said.get("problems", ()))


def reload(places: Iterable[Path]) -> Told | None:
    """Have the sidecar at one of ``places`` read its file again; None: none is there.

    Raises:
        NoAnswerError: it can't do that.
    """
    return _told(places, "/v1/reload", b"")


def compare(places: Iterable[Path], name: str, text: str) -> Told | None:
    """What would change there with ``text`` in the file's place; raises as ``reload``."""
    return _told(places, "/v1/diff", json.dumps({"name": name, "text": text}).encode())


def _told(places: Iterable[Path], target: str, body: bytes) -> Told | None:
    for place in places:
        try:
            reply = ask(place, target, method="POST", fields=_FIELDS, body=body, patience=PATIENCE)
        except (FileNotFoundError, ConnectionRefusedError):
            continue
        except OSError as error:
            why = error.strerror or error
            raise NoAnswerError(f"the sidecar at {place} does not answer: {why}") from None
        return _read(reply)
    return None


def _read(reply: Reply) -> Told:
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and reply.status in {_OK, _REFUSED}:
        return Told(reply.status == _REFUSED, said)
    detail = said.get("detail") if isinstance(said, dict) else None
    raise NoAnswerError(f"the sidecar answered {reply.status}: {detail or 'not in our words'}")


def _line(problem: Mapping[str, Any]) -> str:
    message = str(problem.get("message", ""))
    if "file" not in problem:
        return message
    return f"{problem['file']}:{problem.get('line')}:{problem.get('column')}: {message}"
