"""The keys of the file's smaller sections, as pydantic checks them one by one.

Says which keys there are, of which kind, with which defaults; what must fit together is for
the modules that resolve. ``None`` stands for a key that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from proxy.config.kinds import (
    Bound,
    Duration,
    EgressProxy,
    Idle,
    Period,
    Share,
    Size,
    Some,
    SomeSize,
    Switch,
    Text,
    Url,
    choice,
)
from proxy.config.request_fields import REQUEST
from proxy.config.secret_keys import SecretKey


class Keys(BaseModel):
    """A mapping whose keys are all known."""

    # Only the whole file is ever validated: built apart, each section would be built twice.
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True
    )


class CertificateKeys(Keys):
    """What a listener shows."""

    cert_file: Text | None = Field(default=None, description="certificate and chain (PEM)")
    key_file: Text | None = Field(
        default=None, description="its key (PEM), unless inside cert_file"
    )


class ListenKeys(Keys):
    """One listener of the data plane; an address alone is short for it."""

    address: Bound | None = Field(default=None, description="host:port, or unix:/path")
    tls: CertificateKeys | None = Field(default=None, description="serve TLS, with this")

    @model_validator(mode="before")
    @classmethod
    def _address_alone(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"address": value}


class ClientKeys(Keys):
    """A program that may call the data plane."""

    key: SecretKey | None = Field(default=None, description="what it shows, as a secret")


class LogKeys(Keys):
    """What is written to standard error."""

    format: Annotated[str, choice("text", "json")] = Field(
        default="text", description="text or json"
    )
    level: Annotated[str, choice("debug", "info", "warning", "error")] = Field(
        default="info", description="the least that is told: debug, info, warning or error"
    )
    access: Switch = Field(default=True, description="one line per request")


class TracingKeys(Keys):
    """Spans for an OpenTelemetry collector; what is left out is as the OTEL_* variables say."""

    endpoint: Url | None = Field(
        default=None,
        description="where OTLP over HTTP is taken; default http://localhost:4318/v1/traces",
    )
    service: Text | None = Field(
        default=None, description="what the service is called; default token-sidecar"
    )
    sample: Share | None = Field(
        default=None,
        description="the share of the requests without a traceparent that is traced; default 1.0",
    )


class LimitKeys(Keys):
    """What a request may take."""

    target: SomeSize = Field(default=8 << 10, description="the request's target; else 414")
    head: SomeSize = Field(default=64 << 10, description="the request's head; else 431")
    fields: Some = Field(default=100, description="header fields; else 431")
    head_time: Period = Field(default=10.0, description="until the head is complete; else 408")
    body_idle: Period = Field(default=30.0, description="silence inside a body; else 408")
    connections: Some = Field(default=10_000, description="open connections; else 503")
    in_flight: Some = Field(default=2_000, description="requests at once; else 503")
    replay_budget: Size = Field(
        default=16 << 20,
        description="all that is kept of running requests for a replay after a 401",
    )


class DrainKeys(Keys):
    """How the process ends."""

    delay: Duration = Field(default=0.0, description="how long to go on accepting after SIGTERM")
    grace: Duration = Field(default=30.0, description="how long running requests may then take")


class TlsKeys(Keys):
    """How a server's certificate is judged, and which one we show."""

    ca_file: Text | None = Field(default=None, description="certificates to trust (PEM)")
    verify: Switch = Field(default=True, description="false trusts anybody; for tests alone")
    cert_file: Text | None = Field(default=None, description="our certificate (PEM)")
    key_file: Text | None = Field(
        default=None, description="its key (PEM), unless inside cert_file"
    )


class TimeoutKeys(Keys):
    """How long an upstream may take."""

    connect: Period = Field(default=10.0, description="to connect, TLS included; else 504")
    head: Period = Field(default=300.0, description="until its answer begins; else 504")
    idle: Period = Field(default=300.0, description="silence inside its answer")


class RenewKeys(Keys):
    """When a token is renewed."""

    margin: Duration = Field(
        default=300.0, description="how long before its end; at most a third of its life"
    )
    default_lifetime: Period = Field(
        default=3600.0, description="how long a token lives whose answer names no time"
    )
    min_interval: Period = Field(default=10.0, description="between renewals that a 401 causes")
    idle: Idle = Field(
        default=None, description="renew only what was used within this time; or never"
    )


class ProviderKeys(Keys):
    """An identity provider's keys; a credential may have them itself."""

    token_url: Url | None = Field(default=None, description="the token endpoint")
    issuer: Url | None = Field(
        default=None, description="or the issuer, whose metadata name the endpoint"
    )
    login_url: Url | None = Field(default=None, description="or a login page's address: …/auth?…")
    authorize_url: Url | None = Field(
        default=None, description="where a person's browser logs in; comes with issuer"
    )
    device_url: Url | None = Field(
        default=None, description="the device authorization endpoint; comes with issuer"
    )
    revocation_url: Url | None = Field(
        default=None, description="where a logout revokes tokens; comes with issuer"
    )
    jwks_url: Url | None = Field(
        default=None, description="keys that ID tokens are signed with; come with issuer"
    )
    tls: TlsKeys | None = Field(default=None, description="how to trust the provider")
    proxy: EgressProxy | None = Field(
        default=None, description="http://host:port, or none; default: HTTPS_PROXY and the like"
    )
    allow_insecure: Switch = Field(
        default=False, description="plain http to a provider on another machine"
    )
    request: Annotated[Mapping[str, str] | None, REQUEST] = Field(
        default=None,
        description="how the token request is written: form (the default), json, or "
        "{json: {client_id: clientId}} with the names that differ",
    )
