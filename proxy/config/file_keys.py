"""The keys of a route and of the whole file."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from proxy.config.credential_keys import CredentialKeys
from proxy.config.keys import (
    ClientKeys,
    DrainKeys,
    Keys,
    LimitKeys,
    ListenKeys,
    LogKeys,
    ProviderKeys,
    TimeoutKeys,
    TlsKeys,
    TracingKeys,
)
from proxy.config.kinds import (
    TEXT,
    Authority,
    Bound,
    Count,
    Duration,
    EgressProxy,
    FieldName,
    HostName,
    Kind,
    Origin,
    Scheme,
    Size,
    Some,
    SomeSize,
    Switch,
    Text,
    Toggled,
    Url,
    UrlPath,
    choice,
)
from proxy.config.model import SdkLogin
from proxy.config.redis_url import RedisUrl, redis_url
from proxy.config.scalars import UnfitError, switch
from proxy.config.secret_keys import SecretKey
from proxy.config.vault_keys import VaultKeys

_SDK_LOGIN: Final = choice("off", *SdkLogin)
_SDK_LOGIN_DESCRIBED: Final = {
    **_SDK_LOGIN.described,
    "type": ["string", "boolean"],  # YAML 1.1 takes off for false
    "enum": ["off", False, *SdkLogin],
}
_STORES: Final = choice("memory", "file")


def _sdk_login(value: object) -> SdkLogin | None:
    read = _SDK_LOGIN.read("off" if value is False else value)
    return None if read == "off" else SdkLogin(str(read))


def _store(value: object) -> object:
    """None for this process's memory, a mapping for files or Redis."""
    if isinstance(value, dict):
        return value
    if value == "redis":
        raise UnfitError("needs its URL: {redis: 'redis://host:6379/0', encryption_key: …}")
    return None if _STORES.read(value) == "memory" else {"file": None}


def _tracing(value: object) -> object:
    """None where it is off, a mapping where it is on."""
    if isinstance(value, dict):
        return value
    return {} if switch(value) else None


def _one_or_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class StoreKeys(Keys):
    """Tokens encrypted in files or in Redis, which outlive the process."""

    file: Text | None = Field(
        default=None,
        description="the directory that tokens are kept in; default tokens in state_dir",
    )
    redis: Annotated[RedisUrl | None, Kind(redis_url, TEXT)] = Field(
        default=None,
        description="a server that many machines share: redis://, rediss:// for TLS, "
        "rediss+sentinel://host,host/service, rediss+cluster://host,host",
    )
    password: SecretKey | None = Field(default=None, description="redis: the user's password")
    tls: TlsKeys | None = Field(
        default=None, description="redis: how to trust the server; default what the system trusts"
    )
    encryption_key: SecretKey | None = Field(
        default=None,
        description="what entries are encrypted with, 32 bytes in base64; redis needs it; "
        "default (file) one of our own, in the keyring or in state_dir",
    )


class RouteKeys(Keys):
    """One route: which requests go to which upstream, with which credential."""

    path: UrlPath = Field(
        default="/", description="what the request's path begins with, segment by segment"
    )
    host: HostName | None = Field(default=None, description="only requests for this Host")
    listen: Bound | None = Field(
        default=None,
        description="a listener of this route's own, for programs that insist on absolute paths",
    )
    upstream: Url | None = Field(
        default=None, description="the API: the URL that takes the path's place"
    )
    credential: Text | None = Field(
        default=None, description="a name in credentials, or none: the request goes without"
    )
    header: FieldName = Field(
        default="Authorization", description="the header field that carries the credential"
    )
    scheme: Scheme = Field(
        default="Bearer", description="what stands before the token in that field; '' for nothing"
    )
    tls: TlsKeys | None = Field(default=None, description="how to trust the upstream")
    proxy: EgressProxy | None = Field(
        default=None,
        description="the egress proxy: http://host:port, or none; "
        "default what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say",
    )
    allow_insecure: Switch = Field(
        default=False, description="true lets the credential go over plain http to another machine"
    )
    clients: list[Text] | None = Field(
        default=None, description="which of clients this route serves; default all"
    )
    cookies: Switch = Field(default=False, description="true lets the client's own cookies pass")
    rewrite_location: Switch = Field(
        default=False,
        description="true turns a Location that points at the upstream into one that points here",
    )
    timeouts: TimeoutKeys = Field(
        default=TimeoutKeys(), description="how long the upstream may take"
    )
    max_body: SomeSize = Field(default=10 << 30, description="the largest request body; else 413")
    replay_body: Size = Field(
        default=1 << 20, description="how much of a request is kept for one replay after a 401"
    )
    sdk_login: Annotated[SdkLogin | None, Kind(_sdk_login, _SDK_LOGIN_DESCRIBED)] = Field(
        default=None, description="whose SDK's own login is answered here; default off"
    )


class FileKeys(Keys):
    """The configuration of token-sidecar."""

    listen: Annotated[list[ListenKeys], BeforeValidator(_one_or_list)] | None = Field(
        default=None,
        description="where programs connect: an address, or a list; default 127.0.0.1:8080",
    )
    admin: Toggled = Field(
        default=None,
        description="the control plane: status page, metrics, token API; loopback or unix:/path; "
        "default 127.0.0.1:8081",
    )
    metrics: Toggled = Field(
        default=None,
        description="an address for health and metrics alone, which may be remote; default off",
    )
    allow_remote: Switch = Field(
        default=False,
        description="true lets `listen` be more than loopback: then everybody who reaches it is "
        "served",
    )
    quitquitquit: Switch = Field(
        default=False, description="POST /quitquitquit on admin ends the process, as SIGTERM does"
    )
    hosts: list[Authority] = Field(
        default=[], description="further Host values that are accepted, with a port or without"
    )
    browser_origins: list[Origin] = Field(
        default=[], description="web origins whose pages may call the data plane"
    )
    clients: dict[str, ClientKeys] = Field(
        default={},
        description="programs that may call, each by a key; "
        "default everybody who reaches the listener",
    )
    peer_uids: list[Count] = Field(
        default=[],
        description="user ids that may use the data plane's Unix sockets besides our own",
    )
    workers: Some = Field(
        default=1, description="processes that forward requests, with one set of tokens"
    )
    log: LogKeys = Field(default=LogKeys(), description="what is written to standard error")
    tracing: Annotated[TracingKeys | None, BeforeValidator(_tracing)] = Field(
        default=None,
        description="spans for an OpenTelemetry collector: off, on, or a mapping; default off",
    )
    limits: LimitKeys = Field(default=LimitKeys(), description="what a request may take")
    hold: Duration = Field(
        default=10.0,
        description="how long a request may wait for a token that is not there yet; then 503",
    )
    drain: DrainKeys = Field(default=DrainKeys(), description="how the process ends")
    state_dir: Text = Field(
        default="~/.local/state/token-sidecar",
        description="the directory for keys, stored tokens and the own socket",
    )
    providers: dict[str, ProviderKeys] = Field(
        default={}, description="identity providers that several credentials share"
    )
    credentials: dict[str, CredentialKeys] = Field(
        default={}, description="what goes out on requests, and how it is obtained"
    )
    routes: list[RouteKeys] = Field(default=[], description="which requests go where")
    store: Annotated[StoreKeys | None, BeforeValidator(_store)] = Field(
        default=None,
        description="where tokens are kept: in this process, or encrypted in files or Redis",
    )
    vault: VaultKeys | None = Field(
        default=None, description="the Vault or OpenBao that {vault: path#field} stands in"
    )
