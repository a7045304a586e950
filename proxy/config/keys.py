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

    key: SecretKey | None = Field(default=None, description="the key that the program shows")


class LogKeys(Keys):
    """What is written to standard error."""

    format: Annotated[str, choice("text", "json")] = Field(
        default="text", description="how a line is written"
    )
    level: Annotated[str, choice("debug", "info", "warning", "error")] = Field(
        default="info", description="the least that is told"
    )
    access: Switch = Field(default=True, description="whether each request has a line")


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

    target: SomeSize = Field(
        default=8 << 10, description="the longest target (path and query); else 414"
    )
    head: SomeSize = Field(default=64 << 10, description="the largest head; else 431")
    fields: Some = Field(default=100, description="the most header fields; else 431")
    head_time: Period = Field(default=10.0, description="how long a head may take; else 408")
    body_idle: Period = Field(
        default=30.0, description="the longest silence inside a request's body; else 408"
    )
    connections: Some = Field(default=10_000, description="the most open connections; else 503")
    in_flight: Some = Field(default=2_000, description="the most requests under way; else 503")
    replay_budget: Size = Field(
        default=16 << 20,
        description="how much is kept of all running requests together for replays after a 401",
    )


class DrainKeys(Keys):
    """How the process ends."""

    delay: Duration = Field(default=0.0, description="how long to go on accepting after SIGTERM")
    grace: Duration = Field(default=30.0, description="how long running requests may then take")


class TlsKeys(Keys):
    """How a server's certificate is judged, and which one we show."""

    ca_file: Text | None = Field(
        default=None, description="authorities to trust (PEM); default those of the system"
    )
    verify: Switch = Field(default=True, description="false trusts anybody: for tests alone")
    cert_file: Text | None = Field(default=None, description="the certificate that we show (PEM)")
    key_file: Text | None = Field(
        default=None, description="its key (PEM), unless inside cert_file"
    )


class TimeoutKeys(Keys):
    """How long an upstream may take."""

    connect: Period = Field(
        default=10.0, description="the longest it may take to connect, TLS included; else 504"
    )
    head: Period = Field(default=300.0, description="the longest until its answer begins; else 504")
    idle: Period = Field(
        default=300.0,
        description="the longest silence inside its answer; then the connection is cut",
    )


class RenewKeys(Keys):
    """When a token is renewed."""

    margin: Duration = Field(
        default=300.0,
        description="how long before its end a token is renewed; at most a third of its life",
    )
    default_lifetime: Period = Field(
        default=3600.0, description="how long a token lives whose answer names no time"
    )
    min_interval: Period = Field(
        default=10.0, description="the least time between two renewals that a 401 causes"
    )
    idle: Idle = Field(
        default=None,
        description="renew by itself only what was used within this time; "
        "default never: renew always",
    )


class ProviderKeys(Keys):
    """An identity provider's keys; a credential may have them itself."""

    token_url: Url | None = Field(default=None, description="the token endpoint")
    issuer: Url | None = Field(
        default=None, description="the issuer; its metadata name all endpoints"
    )
    login_url: Url | None = Field(
        default=None,
        description="a login page's address, …/auth?…; the token endpoint lies beside it",
    )
    authorize_url: Url | None = Field(
        default=None, description="where a person's browser logs in; default the issuer's"
    )
    device_url: Url | None = Field(
        default=None, description="the device authorization endpoint; default the issuer's"
    )
    revocation_url: Url | None = Field(
        default=None, description="where a logout revokes tokens; default the issuer's"
    )
    jwks_url: Url | None = Field(
        default=None, description="keys that ID tokens are signed with; default the issuer's"
    )
    tls: TlsKeys | None = Field(
        default=None,
        description="how to trust the provider, and the certificate that we show there",
    )
    proxy: EgressProxy | None = Field(
        default=None,
        description="the egress proxy: http://host:port, or none; "
        "default what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say",
    )
    allow_insecure: Switch = Field(
        default=False, description="true allows plain http to a provider on another machine"
    )
    request: Annotated[Mapping[str, str] | None, REQUEST] = Field(
        default=None,
        description="how the token request is written: form, json, or "
        "{json: {client_id: clientId}} with the names that differ; default form",
    )
