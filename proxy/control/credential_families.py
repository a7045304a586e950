"""What each credential's state is called in Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, get_args

from prometheus_client.metrics_core import Metric

from proxy.control.families import counter, gauge
from proxy.tokens.status import CredentialStatus, State

STATES: Final[tuple[str, ...]] = get_args(State)


def of_credentials(credentials: Sequence[CredentialStatus]) -> Iterator[Metric]:
    """Every family of the credentials."""
    for name, meaning, count in COUNTERS:
        samples = [((one.name,), count(one)) for one in credentials]
        yield counter(name, meaning, ("credential",), samples)
    yield counter(
        "token_failures",
        "Token requests that brought no usable token, by reason.",
        ("credential", "reason"),
        [
            ((one.name, reason), count)
            for one in credentials
            for reason, count in sorted(one.failures.items())
        ],
    )
    for name, meaning, read in GAUGES:
        values = ((one.name, read(one)) for one in credentials)
        known = [((label,), value) for label, value in values if value is not None]
        yield gauge(name, meaning, ("credential",), known)
    yield gauge(
        "credential_state",
        "1 for the state that it is in, 0 for every other.",
        ("credential", "state"),
        [((one.name, state), one.state == state) for one in credentials for state in STATES],
    )


COUNTERS: Final[tuple[tuple[str, str, Callable[[CredentialStatus], int]], ...]] = (
    ("token_requests", "Token requests sent to the provider.", lambda one: one.token_requests),
    ("token_renewals", "Token requests that brought a token.", lambda one: one.renewals),
    ("token_rejections", "Tokens that an upstream's 401 rejected.", lambda one: one.rejections),
)

GAUGES: Final[tuple[tuple[str, str, Callable[[CredentialStatus], float | None]], ...]] = (
    ("credential_ready", "1 once there has been a token.", lambda one: one.ready),
    ("credential_required", "1 if readiness waits for its first token.", lambda one: one.required),
    ("token_expiry_seconds", "Seconds until it expires.", lambda one: one.expires_in_seconds),
    (
        "token_lifetime_seconds",
        "Seconds that the newest token had before it when it came.",
        lambda one: one.lifetime_seconds,
    ),
    ("credential_callers", "Callers with a token of their own.", lambda one: one.callers),
    (
        "token_next_renewal_seconds",
        "Seconds until it is renewed.",
        lambda one: one.next_renewal_in_seconds,
    ),
    (
        "token_last_failure_timestamp_seconds",
        "When the last token request failed, since the epoch; absent where none has.",
        lambda one: None if one.last_error is None else one.last_error.at_wall,
    ),
)
