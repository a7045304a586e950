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

    file: Text | None = Field(default=None, description="the directory; default below state_dir")
    redis: Annotated[RedisUrl | None, Kind(redis_url, TEXT)] = Field(
        default=None,
        description="a server that many machines share: redis://, rediss:// for TLS, "
        "rediss+sentinel://host,host/service, rediss+cluster://host,host",
    )
    password: SecretKey | None = Field(default=None, description="of the user at Redis")
    tls: TlsKeys | None = Field(default=None, description="how to trust Redis")
    encryption_key: SecretKey | None = Field(
        default=None,
        description="file: default in the system's keyring, else a file of ours; redis: needed",
    )


class RouteKeys(Keys):
    """One route: which requests go to which upstream, with which credential."""

    path: UrlPath = Field(default="/", description="what the request's path begins with")
    host: HostName | None = Field(default=None, description="only requests for this Host")
    listen: Bound | None = Field(default=None, description="a listener of its own")
    upstream: Url | None = Field(default=None, description="the URL that takes the path's place")
    credential: Text | None = Field(default=None, description="a name in credentials, or none")
    header: FieldName = Field(default="Authorization", description="the field that carries it")
    scheme: Scheme = Field(default="Bearer", description="what stands before it; '' for nothing")
    tls: TlsKeys | None = Field(default=None, description="how to trust the upstream")
    proxy: EgressProxy | None = Field(
        default=None, description="http://host:port, or none; default: HTTPS_PROXY and the like"
    )
    allow_insecure: Switch = Field(
        default=False, description="a credential over plain http to another machine"
    )
    clients: list[Text] | None = Field(
        default=None, description="only these of clients; default all"
    )
    cookies: Switch = Field(default=False, description="the client's own cookies pass")
    rewrite_location: Switch = Field(
        default=False, description="a Location at the upstream is turned into one here"
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
        default=None, description="where programs connect; default 127.0.0.1:8080. Or a list"
    )
    admin: Toggled = Field(
        default=None, description="control plane, never remote; default 127.0.0.1:8081"
    )
    metrics: Toggled = Field(
        default=None, description="health and metrics alone, remote too; default off"
    )
    allow_remote: Switch = Field(default=False, description="listen on more than loopback")
    quitquitquit: Switch = Field(
        default=False, description="POST /quitquitquit on admin ends the process, as SIGTERM does"
    )
    hosts: list[Authority] = Field(default=[], description="further Host values that are accepted")
    browser_origins: list[Origin] = Field(default=[], description="web origins that may call")
    clients: dict[str, ClientKeys] = Field(
        default={}, description="who may call; default anybody here"
    )
    peer_uids: list[Count] = Field(default=[], description="further users on our Unix sockets")
    workers: Some = Field(default=1, description="processes that forward requests")
    log: LogKeys = Field(default=LogKeys(), description="what is written to standard error")
    tracing: Annotated[TracingKeys | None, BeforeValidator(_tracing)] = Field(
        default=None,
        description="spans for an OpenTelemetry collector: off (the default), on, or a mapping",
    )
    limits: LimitKeys = Field(default=LimitKeys(), description="what a request may take")
    hold: Duration = Field(default=10.0, description="how long a request may wait for a token")
    drain: DrainKeys = Field(default=DrainKeys(), description="how the process ends")
    state_dir: Text = Field(
        default="~/.local/state/token-sidecar", description="where what must survive is kept"
    )
    providers: dict[str, ProviderKeys] = Field(
        default={}, description="providers that credentials share"
    )
    credentials: dict[str, CredentialKeys] = Field(
        default={}, description="how tokens are obtained"
    )
    routes: list[RouteKeys] = Field(default=[], description="which requests go where")
    store: Annotated[StoreKeys | None, BeforeValidator(_store)] = Field(
        default=None,
        description="where tokens are kept: memory (the default) or file; or a mapping",
    )
    vault: VaultKeys | None = Field(
        default=None, description="the Vault or OpenBao that {vault: path#field} stands in"
    )
