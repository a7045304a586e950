"""Renewals as spans: one for each, and below it one for each request to the provider.

A renewal serves many requests and belongs to none: each is a trace of its own. Nothing of a trace
is sent to a provider. Told are names, places and outcomes; never a token or a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from proxy.errors import TokenRequestError
from proxy.idp.endpoint import Sender
from proxy.message import Answer, Request, origin
from proxy.tokens.ports import Keep, TokenSource
from proxy.tokens.token import RefreshToken, Token


class TokenSpans:
    """Follows what asks for tokens."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def source(self, name: str, source: TokenSource) -> TokenSource:
        """The source of the credential ``name``, followed."""
        return FollowedSource(self._tracer, name, source)

    def sender(self, sender: Sender) -> Sender:
        """What carries its requests, followed."""
        return FollowedSender(self._tracer, sender)


class FollowedSource:
    """A ``TokenSource`` whose renewals are spans."""

    def __init__(self, tracer: Tracer, name: str, source: TokenSource) -> None:
        self._tracer = tracer
        self._name = name
        self._source = source

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        """A new token, as the source gives it."""
        with self._tracer.start_as_current_span(
            f"token renewal {self._name}",
            Context(),
            attributes={"token_sidecar.credential": self._name},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            with _failures(span):
                token = await self._source.obtain(held, keep)
            span.set_attribute("token_sidecar.token.field", token.field)
            return token


class FollowedSender:
    """A ``Sender`` whose requests are spans, below the renewal that wants them."""

    def __init__(self, tracer: Tracer, sender: Sender) -> None:
        self._tracer = tracer
        self._sender = sender

    async def send(self, request: Request) -> Answer:
        """The provider's answer."""
        parts = urlsplit(request.url)
        with self._tracer.start_as_current_span(
            request.method,
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": request.method,
                "server.address": parts.hostname or "",
                "server.port": parts.port or (443 if parts.scheme == "https" else 80),
                "url.full": origin(request.url) + parts.path,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            with _failures(span):
                answer = await self._sender.send(request)
            span.set_attribute("http.response.status_code", answer.status)
            if answer.status >= 400:
                span.set_status(Status(StatusCode.ERROR))
                span.set_attribute("error.type", str(answer.status))
            return answer


@contextmanager
def _failures(span: Span) -> Iterator[None]:
    """Tell of a failure by its reason: a message may say more than a collector should know."""
    try:
        yield
    except BaseException as error:
        reason = error.reason if isinstance(error, TokenRequestError) else type(error).__name__
        span.set_status(Status(StatusCode.ERROR))
        span.set_attribute("error.type", reason)
        raise
