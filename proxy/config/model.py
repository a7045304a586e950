"""The configuration as the rest of the program sees it: plain values, checked and complete.

Presets are filled in, providers merged into their credentials, durations are seconds, sizes bytes,
paths absolute. Nothing here parses or checks, and nothing imports the library that does: a process
that is handed these values never pays for it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from proxy.errors import Problem
from proxy.oauth.authentication import ClientAuthentication
from proxy.secret import Secret


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the file something stands, so that whoever finds it wanting can say so."""

    file: str
    line: int
    column: int

    def problem(self, message: str) -> Problem:
        """A mistake, or a warning, about what stands here."""
        return Problem(self.file, self.line, self.column, message)


@dataclass(frozen=True, slots=True)
class EnvSecret:
    """A secret in the environment variable ``name``."""

    name: str
    at: Position = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FileSecret:
    """A secret that is a file's content; read anew whenever it is wanted."""

    path: Path
    at: Position = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CredentialsFileSecret:
    """The ``client_secret`` inside a downloaded csv or ini; ``credentials_file.parse`` reads it."""

    path: Path
    at: Position = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PlainSecret:
    """A secret written in the configuration itself (warned about)."""

    value: Secret
    at: Position = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class KeyringSecret:
    """A secret in the operating system's keyring: the password of ``name`` at ``service``.

    ``every``: seconds between two readings while the sidecar runs.
    """

    service: str
    name: str
    at: Position = field(compare=False, repr=False)
    every: float = field(default=60.0, compare=False)


@dataclass(frozen=True, slots=True)
class CommandSecret:
    """A secret that a program prints; ``argv`` may be confidential: not shown.

    ``every``: seconds between two readings while the sidecar runs.
    """

    argv: tuple[str, ...] = field(repr=False)
    at: Position = field(compare=False, repr=False)
    every: float = field(default=60.0, compare=False)


@dataclass(frozen=True, slots=True)
class SystemdSecret:
    """A secret that systemd passes on: the credential ``name`` of the unit."""

    name: str
    at: Position = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class VaultSecret:
    """A secret in Vault: ``key`` of what stands at ``path``, as ``vault kv get`` writes it.

    ``every``: seconds between two readings while the sidecar runs.
    """

    path: str
    key: str
    vault: Vault
    at: Position = field(compare=False, repr=False)
    every: float = field(default=60.0, compare=False)


SecretReference = (
    EnvSecret
    | FileSecret
    | CredentialsFileSecret
    | PlainSecret
    | KeyringSecret
    | CommandSecret
    | SystemdSecret
    | VaultSecret
)


@dataclass(frozen=True, slots=True)
class FromCredential:
    """The token of another credential of this file."""

    credential: str


@dataclass(frozen=True, slots=True)
class FromRequest:
    """The bearer token that the caller of the data plane sent."""


class SdkLogin(enum.StrEnum):
    """Whose SDK's own login is answered here, with a decoy."""

    WALLAROO = "wallaroo"
    SELDON = "seldon"
    SELDON_SESSION = "seldon-session"
    RUNAI = "runai"


class Grant(enum.StrEnum):
    """How a token is obtained (RFC 6749 section 1.3); ``static`` is none at all.

    ``session`` is a web application's sign-in form: its token is the session's cookies.
    """

    CLIENT_CREDENTIALS = "client_credentials"
    PASSWORD = "password"  # noqa: S105 - the grant's name
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the grant's name
    AUTHORIZATION_CODE = "authorization_code"
    DEVICE_CODE = "device_code"
    TOKEN_EXCHANGE = "token_exchange"  # noqa: S105 - the grant's name
    JWT_BEARER = "jwt_bearer"
    SESSION = "session"
    STATIC = "static"


BY_PERSON: frozenset[Grant] = frozenset({Grant.AUTHORIZATION_CODE, Grant.DEVICE_CODE})
"""The grants that begin with ``token-sidecar login``: no secret of ours is enough."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener is: a TCP host (no brackets) and port, or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server's certificate is judged and which one we show; None is the system's way."""

    ca_file: Path | None = None
    verify: bool = True
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a listener shows; ``key_file`` None: the key is inside ``cert_file``."""

    cert_file: Path
    key_file: Path | None
    at: Position = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Egress:
    """The proxy on the way to a provider or an upstream.

    Attributes:
        from_environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide; never for loopback.
        url: the proxy to use, None for none. It may hold a password: not shown.
    """

    from_environment: bool = True
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class VaultToken:
    """A token that somebody else obtained and renews."""

    token: SecretReference


@dataclass(frozen=True, slots=True)
class VaultKubernetes:
    """A login with a service account's token, for ``role`` at the auth method's ``mount``."""

    role: str
    token: SecretReference
    mount: str = "kubernetes"


@dataclass(frozen=True, slots=True)
class VaultAppRole:
    """A login as a machine; ``secret_id`` None: the role is bound to addresses alone."""

    role_id: SecretReference
    secret_id: SecretReference | None = None
    mount: str = "approle"


@dataclass(frozen=True, slots=True)
class Vault:
    """A HashiCorp Vault or OpenBao, and how to log in there.

    Attributes:
        address: without a slash at its end.
    """

    address: str
    login: VaultToken | VaultKubernetes | VaultAppRole
    namespace: str | None = None
    tls: Tls = Tls()
    egress: Egress = Egress()
    allow_insecure: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider: what is written here, else what discovery at ``issuer`` says.

    Attributes:
        json_names: None where the token request is a form; else it is a JSON object, and these
            are the names of its members where they differ from the form's.
    """

    token_url: str | None = None
    issuer: str | None = None
    authorize_url: str | None = None
    device_url: str | None = None
    revocation_url: str | None = None
    jwks_url: str | None = None
    json_names: Mapping[str, str] | None = None
    tls: Tls = Tls()
    egress: Egress = Egress()
    allow_insecure: bool = False


@dataclass(frozen=True, slots=True)
class Renew:
    """When a token is renewed; all in seconds. ``idle`` None: without any use too."""

    margin: float = 300.0
    default_lifetime: float = 3600.0
    min_interval: float = 10.0
    idle: float | None = None


@dataclass(frozen=True, slots=True)
class Signing:
    """A key that signs assertions (RFC 7523), and what they say.

    Attributes:
        private_key: PEM or a JWK.
        key_id: the header's ``kid``, or None for none (a JWK's own is used).
        algorithm: or None for what suits the key: RS256, ES256 …, EdDSA.
        claims: beside ``exp``, ``iat`` and ``jti``; those of grant jwt_bearer.
    """

    private_key: SecretReference
    key_id: str | None = None
    algorithm: str | None = None
    claims: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """A sign-in form: its fields' names, None where they are found in the page itself.

    ``encoding`` is urlencoded or multipart, or None for what the page says.
    """

    username: str | None = None
    password: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a session begins, for grant session.

    Attributes:
        url: a GET there without a session leads to the sign-in page.
        connector: which of several Dex offers.
        cookies: names of the cookies to send; empty: all that the host of ``url`` has set.
    """

    url: str
    form: Form = Form()
    connector: str | None = None
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential, complete.

    Attributes:
        provider: None for ``static`` alone; for ``session`` it tells TLS and proxy.
        client_id: None for ``static`` and ``session``, and where an assertion says who asks:
            with ``federated``, and jwt_bearer of a client that proves nothing else.
        refresh_token: the first one, for the grant of that name.
        token: the credential itself, for ``static``.
        client_signing: what signs the client's assertion, for ``private_key_jwt``.
        assertion_audience: ``aud`` of the client's assertion; None: the issuer, else the token
            endpoint.
        client_assertion: one that somebody else signed, for ``federated``.
        subject, actor: whose token is exchanged, and who acts for them (RFC 8693).
        assertion, signing: of grant jwt_bearer: a ready one, or what signs one.
        redirect_uri: sent as it is; None: our own on loopback, at ``redirect_port`` or any free.
        paste: a person carries the code here by hand.
        audience, resource: sent once each (RFC 8693 section 2.1, RFC 8707 section 2).
        params: further form fields, as written; they may be confidential: not shown.
        use: fields of the answer; the first that is there is the credential.
        required: whether readiness waits for it.
        clients: names in ``Config.clients`` that may fetch the token over TCP.
    """

    name: str
    at: Position = field(compare=False, repr=False)
    grant: Grant = Grant.CLIENT_CREDENTIALS
    provider: Provider | None = None
    client_id: str | None = None
    client_secret: SecretReference | None = None
    client_auth: ClientAuthentication = ClientAuthentication.NONE
    username: str | None = None
    password: SecretReference | None = None
    refresh_token: SecretReference | None = None
    token: SecretReference | None = None
    client_signing: Signing | None = None
    assertion_audience: str | None = None
    client_assertion: SecretReference | None = None
    redirect_uri: str | None = None
    redirect_port: int | None = None
    paste: bool = False
    subject: SecretReference | FromCredential | FromRequest | None = None
    subject_type: str | None = None
    requested_type: str | None = None
    actor: SecretReference | FromCredential | None = None
    actor_type: str | None = None
    assertion: SecretReference | None = None
    signing: Signing | None = None
    sign_in: SignIn | None = None
    scope: str | None = None
    audience: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    use: tuple[str, ...] = ("access_token",)
    required: bool = True
    clients: frozenset[str] = field(default=frozenset(), compare=False)  # no token depends on it
    renew: Renew = Renew()


@dataclass(frozen=True, slots=True)
class Upstream:
    """A route's upstream URL, taken apart.

    Attributes:
        host: lower case, no brackets.
        authority: what ``Host`` says: brackets where needed, the port unless the scheme's own.
        path: begins and ends with ``/``.
    """

    secure: bool
    host: str
    port: int
    authority: str
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that an upstream may take to connect, to begin its answer, to fall silent."""

    connect: float = 10.0
    head: float = 300.0
    idle: float = 300.0


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        path: begins and ends with ``/``; its segments may be percent-encoded, as written.
        host: lower case, or None for any.
        listen: a listener of its own, or None for the main ones.
        credential: a name in ``Config.credentials``, or None for ``credential: none``.
        clients: names in ``Config.clients``; None for all.
        max_body, replay_body: bytes.
    """

    path: str
    upstream: Upstream
    at: Position = field(compare=False, repr=False)
    credential: str | None = None
    host: str | None = None
    listen: Address | None = None
    header: str = "Authorization"
    scheme: str = "Bearer"
    tls: Tls = Tls()
    egress: Egress = Egress()
    allow_insecure: bool = False
    clients: frozenset[str] | None = None
    cookies: bool = False
    rewrite_location: bool = False
    timeouts: Timeouts = Timeouts()
    max_body: int = 10 << 30
    replay_body: int = 1 << 20
    sdk_login: SdkLogin | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, counts and seconds."""

    target: int = 8 << 10
    head: int = 64 << 10
    fields: int = 100
    head_time: float = 10.0
    body_idle: float = 30.0
    connections: int = 10_000
    in_flight: int = 2_000
    replay_budget: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Log:
    """``format`` is text or json; ``level`` debug, info, warning or error."""

    format: str = "text"
    level: str = "info"
    access: bool = True


@dataclass(frozen=True, slots=True)
class Tracing:
    """Spans for a collector; None: as the OTEL_* variables of the environment say.

    Attributes:
        endpoint: the URL that takes OTLP over HTTP.
        service: what the service is called.
        sample: the share of traces that begin here which is recorded, from 0 to 1.
    """

    endpoint: str | None = None
    service: str | None = None
    sample: float | None = None


@dataclass(frozen=True, slots=True)
class Drain:
    """Seconds: how long to go on accepting, then how long what runs may take."""

    delay: float = 0.0
    grace: float = 30.0


@dataclass(frozen=True, slots=True)
class FileStore:
    """Tokens in encrypted files below ``directory``; ``key`` None: keyring, or a file of ours."""

    directory: Path
    key: SecretReference | None = None


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """Where Redis is; what its URL says but the password.

    Attributes:
        kind: one server on TCP, one on a Unix socket, one that Sentinels name, a cluster.
        hosts: host and port; of the Sentinels, or of some nodes.
        path: of the Unix socket.
        username: None: the default user.
        service: what the Sentinels call it.
        db: the number of the database.
        secure: over TLS.
    """

    kind: Literal["tcp", "unix", "sentinel", "cluster"]
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    username: str | None = None
    service: str = ""
    db: int = 0
    secure: bool = False


@dataclass(frozen=True, slots=True)
class RedisStore:
    """Tokens in Redis or Valkey, encrypted with ``key``; ``password`` is that of its user."""

    place: RedisPlace
    key: SecretReference
    password: SecretReference | None = None
    tls: Tls = Tls()
    at: Position = field(default=Position("", 1, 1), compare=False, repr=False)


Store: TypeAlias = FileStore | RedisStore


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file.

    Attributes:
        path: the file, absolute.
        admin, metrics: None where off.
        certificates: of the listeners that speak TLS.
        clients: name → its key; empty where anybody on this machine may call.
        workers: processes that forward requests; 1: this one.
        hold: seconds.
        store: None: this process's memory.
        tracing: None: off.
        files: what was read to make this, beside the file itself.
        warnings: what works but should not stay: plain secrets, ``verify: false``,
            ``allow_insecure``.
    """

    path: Path
    listen: tuple[Address, ...]
    admin: Address | None
    metrics: Address | None
    state_dir: Path
    certificates: Mapping[Address, Certificate] = field(default_factory=dict)
    allow_remote: bool = False
    quitquitquit: bool = False
    hosts: frozenset[str] = frozenset()
    browser_origins: frozenset[str] = frozenset()
    clients: Mapping[str, SecretReference] = field(default_factory=dict)
    peer_uids: frozenset[int] = frozenset()
    workers: int = 1
    log: Log = Log()
    tracing: Tracing | None = None
    limits: Limits = Limits()
    hold: float = 10.0
    drain: Drain = Drain()
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    store: Store | None = None
    files: tuple[Path, ...] = field(default=(), compare=False)
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
