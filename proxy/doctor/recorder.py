"""A sender that remembers the answers, so that what a provider said can be looked at afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.idp.endpoint import Sender
from proxy.message import Answer, Request


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request's method and URL with its answer."""

    method: str
    url: str
    answer: Answer


class Recorder:
    """Passes requests on and remembers what came; one for each credential that is looked at."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.exchanges: list[Exchange] = []

    async def send(self, request: Request) -> Answer:
        """The answer; see ``Sender``."""
        answer = await self._sender.send(request)
        self.exchanges.append(Exchange(request.method, request.url, answer))
        return answer

    @property
    def last(self) -> Answer | None:
        """The newest answer, if one came."""
        return self.exchanges[-1].answer if self.exchanges else None

    @property
    def posted(self) -> Answer | None:
        """The newest answer to a POST: in most cases the token endpoint's."""
        found = (one.answer for one in reversed(self.exchanges) if one.method == "POST")
        return next(found, None)
