"""What to do about a token request that failed, where no provider's answer says more: by reason.

The words of ``doctor`` and of the status page; what a reason is called is ``TokenRequestError``'s.
"""

from __future__ import annotations

from typing import Final

NO_ANSWER: Final = (
    "a firewall may swallow it: check the port, the VPN, and whether a proxy is needed"
)
PORT_CLOSED: Final = "check the port, and that the server runs"
NAME_UNKNOWN: Final = "check the host for typing mistakes, and the machine's DNS or VPN"

_BY_REASON: Final = {
    "timeout": NO_ANSWER,
    "connect": PORT_CLOSED,
    "dns": NAME_UNKNOWN,
    "tls": "run token-sidecar doctor: it shows the certificates and what is wrong with them",
    "network": "see whether the provider restarts, or what stands between it and here",
    "unreadable": "see what stands at token_url: a login page or a proxy may answer in its place",
    "store": "see that the store can be reached and written; live tokens are served meanwhile",
    "internal": "report it with the log of this moment; the sidecar goes on trying",
    "error_in_200": "ask whoever runs the provider",
    "no_caller": "send a request with a bearer through the sidecar",
}
_BUSY: Final = "wait; see who else asks with this client"
_THEIRS: Final = (
    "the fault is the provider's: see its health, or ask whoever runs it; the sidecar goes on"
    " trying"
)
_DOCTOR: Final = "run token-sidecar doctor: it looks at every step on the way"


def hint(reason: str) -> str:
    """What to do about a failure of this reason."""
    found = _BY_REASON.get(reason)
    if found is not None:
        return found
    if reason == "http_429":
        return _BUSY
    if reason.startswith("http_5") or reason in {"server_error", "temporarily_unavailable"}:
        return _THEIRS
    return _DOCTOR
