"""What the error types of RFC 9209 mean here, and what to do: for those who look at a route.

The data plane gives each request that it had to refuse or cut off one of these types.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from proxy.plane.totals import RouteTotals


@dataclass(frozen=True, slots=True)
class Meaning:
    """One error type.

    Attributes:
        client: it is the calling program's own doing, and nobody has to be woken for it.
    """

    meaning: str
    advice: str
    client: bool = False


_TLS: Final = "run token-sidecar doctor: it shows the certificates and what is wrong with them"
_UPSTREAM: Final = "see the API's own log and health; what stands before it may be at fault too"
MEANINGS: Final = {
    "dns_error": Meaning(
        "the API's name can't be resolved",
        "check the host for typing mistakes, and the machine's DNS or VPN",
    ),
    "connection_refused": Meaning(
        "the API refuses connections", "check the port, and that the server runs"
    ),
    "connection_timeout": Meaning(
        "no connection to the API came about in time",
        "a firewall may swallow it: check the port, the VPN, and whether a proxy is needed",
    ),
    "destination_unavailable": Meaning(
        "the API can't be reached", "check the network, the VPN, and whether a proxy is needed"
    ),
    "connection_terminated": Meaning("the API closed the connection before it answered", _UPSTREAM),
    "http_response_incomplete": Meaning("the API broke off inside its answer", _UPSTREAM),
    "http_response_timeout": Meaning(
        "the API did not answer in time",
        "see its health; where it needs longer raise the route's timeouts",
    ),
    "http_protocol_error": Meaning("the API's answer is no proper HTTP", _UPSTREAM),
    "http_response_header_section_size": Meaning(
        "the head of the API's answer is too large", _UPSTREAM
    ),
    "tls_certificate_error": Meaning("the API's certificate is not trusted", _TLS),
    "tls_protocol_error": Meaning("no TLS with the API came about", _TLS),
    "tls_alert_received": Meaning("the API ended TLS with an alert", _TLS),
    "proxy_internal_response": Meaning("there was no token yet", "see the credential above"),
    "proxy_configuration_error": Meaning(
        "the provider refuses the credential, or a proxy on the way its user",
        "see the credential above",
    ),
    "connection_limit_reached": Meaning(
        "too many requests or connections at once, or no descriptor left",
        "raise limits, or ulimit -n; see whether the API has become slow",
    ),
    "proxy_internal_error": Meaning("the sidecar itself failed", "report it with its log"),
    "client_gone": Meaning("the client left before the answer was complete", "", client=True),
    "http_request_error": Meaning("the request broke a rule or a limit", "", client=True),
    "http_request_denied": Meaning("who asked may not", "", client=True),
    "destination_not_found": Meaning("no route serves that", "", client=True),
}


def met(routes: Iterable[RouteTotals]) -> dict[str, dict[str, Any]]:
    """The meanings of those types that the routes have met, as they are told."""
    kinds = {kind for totals in routes for kind in totals.errors}
    return {
        kind: {"meaning": one.meaning, "advice": one.advice, "client": one.client}
        for kind, one in MEANINGS.items()
        if kind in kinds
    }
