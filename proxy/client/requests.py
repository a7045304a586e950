"""``SidecarAuth`` for requests: ``session.auth = SidecarAuth("api")``.

Decides what happens to the token along redirects and after a 401; requests itself keeps
``Authorization`` where a redirect leads from http to https, and knows nothing of a second try.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable
from urllib.parse import urljoin

from requests import PreparedRequest, Response
from requests.auth import AuthBase

from proxy.client.authorization import UNAUTHORIZED, Manner, origin
from proxy.client.source import TokenSource
from proxy.errors import SidecarError


@runtime_checkable
class Seekable(Protocol):
    """A body that can be gone back in."""

    def tell(self) -> int:
        """Where it stands."""

    def seek(self, place: int, /) -> int:
        """Go there."""


class SidecarAuth(AuthBase):
    """Puts the credential's live token on each request; after a 401 a new one, once.

    A request whose body can't be sent twice (a generator) is not repeated: the 401 is the answer,
    and the next request has a new token.

    Args:
        source: a ``TokenSource``, or the name of a credential for one.
        scheme: of ``Authorization``; empty for the bare token.
        allow_insecure: send tokens over plain http to other machines too.

    What requests raise beside the library's own exceptions is ``TokenSource``'s.
    """

    def __init__(
        self, source: TokenSource | str, *, scheme: str = "Bearer", allow_insecure: bool = False
    ) -> None:
        self.source = TokenSource(source) if isinstance(source, str) else source
        self._manner = Manner(scheme, allow_insecure)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """See ``AuthBase``."""
        carried = _Carried(r, self.source, self._manner)
        r.hooks["response"].append(carried.answered)
        return r


class _Carried:
    """One request of the program's, with all that comes of it; the hook follows its redirects."""

    def __init__(self, request: PreparedRequest, source: TokenSource, manner: Manner) -> None:
        manner.assure(request.url or "")
        self._source = source
        self._manner = manner
        self._origin = origin(request.url or "")
        self._cookies = request.headers.get("Cookie")
        self._begin = _position(request.body)
        self._tried = False
        self._lent = source.lend()
        self._put(request)

    def answered(self, response: Response, **how: Any) -> Response:
        """Try once more after a 401, and take the token off where a redirect leads elsewhere."""
        first = response.request
        if self._refused(response) and self._other() and self._rewound(first):
            response = self._again(response, how)
        if response.is_redirect:
            there = urljoin(first.url or "", response.headers["Location"])
            # It is the first request that requests copies for the next one.
            if origin(there) != self._origin:
                first.headers.pop("Authorization", None)
            else:
                self._put(first)
        return response

    def _refused(self, response: Response) -> bool:
        here = origin(response.request.url or "") == self._origin
        return response.status_code == UNAUTHORIZED and here and not self._tried

    def _other(self) -> bool:
        """Whether there is another token to try; it is then the one at hand."""
        self._tried = True
        before = self._lent
        try:
            self._lent = self._source.reject(before)
        except SidecarError:
            return False
        return self._lent.token != before.token

    def _rewound(self, request: PreparedRequest) -> bool:
        """Whether the body can be sent once more; it then stands at its beginning."""
        body: object = request.body
        if body is None or isinstance(body, (bytes, str)):
            return True
        if self._begin is None or not isinstance(body, Seekable):
            return False
        try:
            body.seek(self._begin)
        except OSError:
            return False
        return True

    def _again(self, response: Response, how: dict[str, Any]) -> Response:
        _ = response.content  # the connection is used again
        response.close()
        request = response.request.copy()
        self._put(request)
        answer: Response = response.connection.send(request, **how)
        answer.history.append(response)
        answer.request = request
        return answer

    def _put(self, request: PreparedRequest) -> None:
        name, value = self._manner.field(self._lent, self._cookies)
        request.headers[name] = value


def _position(body: object) -> int | None:
    """Where a file-like body stands, None for one that has no place to go back to."""
    try:
        return body.tell() if isinstance(body, Seekable) else None
    except OSError:
        return None
