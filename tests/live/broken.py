"""Set-ups that are broken in one way each, and what the doctor has to find.

Texts in braces are places of this run: ``places`` of the test fills them in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from tests.live.tenants import MARY, MARYS_PASSWORD, TOKEN_PATH

REALM: Final = "doctor"
SECRET: Final = "canary-the-right-secret"
WRONG: Final = "canary-a-wrong-secret"
DEX_CLIENT: Final = "app"
CLIENT: Final = {"client_id": "good", "client_secret": {"env": "SECRET"}}
KEYCLOAK: Final = {"issuer": "{realm}", **CLIENT}
DEX: Final = {"issuer": "{dex}", **CLIENT, "client_id": DEX_CLIENT}
PERSON: Final = {"grant": "password", "username": MARY, "password": {"env": "PASSWORD"}}
TRUSTING: Final = {"tls": {"ca_file": "{ca_file}"}}


@dataclass(frozen=True, slots=True)
class Broken:
    """One set-up; ``cause`` is what the doctor must name, and nothing else.

    Attributes:
        name: as the table in the documentation has it.
        credential: its keys.
        route: keys of its route, over those of one to nowhere special.
        environ: variables that differ.
        code: the exit code.
        state: of the finding.
    """

    name: str
    cause: str
    credential: dict[str, Any] = field(default_factory=dict)
    route: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    code: int = 3
    state: str = "bad"


def to(place: str, **keys: Any) -> dict[str, Any]:
    """A route to one of the run's APIs."""
    return {"upstream": place, **keys}


SETUPS: Final = (
    Broken("Keycloak: wrong client secret", "wrong_secret", KEYCLOAK, environ={"SECRET": WRONG}),
    Broken("Keycloak: no such client", "unknown_client", KEYCLOAK | {"client_id": "nobody"}),
    Broken(
        "Keycloak: confidential client, no secret configured",
        "secret_needed",
        {"issuer": "{realm}", "client_id": "good", "client_auth": "none"},
    ),
    Broken(
        "Keycloak: service account off",
        "service_accounts_off",
        KEYCLOAK | {"client_id": "no-service-account"},
    ),
    Broken("Keycloak: public client", "public_client", KEYCLOAK | {"client_id": "public"}),
    Broken(
        "Keycloak: client registered for signed JWTs",
        "wrong_client_auth",
        KEYCLOAK | {"client_id": "signed"},
    ),
    Broken(
        "Keycloak: direct access grants off",
        "direct_grants_off",
        KEYCLOAK | PERSON | {"client_id": "no-direct-grants"},
    ),
    Broken(
        "Keycloak: wrong password", "wrong_password", KEYCLOAK | PERSON, environ={"PASSWORD": WRONG}
    ),
    Broken(
        "Keycloak: password is temporary",
        "account_not_set_up",
        KEYCLOAK | PERSON | {"username": "new@example.com"},
    ),
    Broken(
        "Keycloak: user disabled",
        "account_disabled",
        KEYCLOAK | PERSON | {"username": "gone@example.com"},
    ),
    Broken("Keycloak: unknown scope", "wrong_scope", KEYCLOAK | {"scope": "nonsense"}),
    Broken(
        "Keycloak: ID token wanted without scope openid",
        "field_missing",
        KEYCLOAK | {"use": "id_token"},
        code=2,
    ),
    Broken(
        "Keycloak: realm misspelt",
        "realm_unknown",
        KEYCLOAK | {"issuer": "{keycloak}/realms/Doctor"},
    ),
    Broken(
        "Keycloak: /auth missing in issuer",
        "auth_prefix",
        KEYCLOAK | {"issuer": "{keycloak_root}/realms/doctor"},
    ),
    Broken(
        "Keycloak: /auth missing in token_url",
        "auth_prefix",
        CLIENT | {"token_url": "{keycloak_root}/realms/doctor/" + TOKEN_PATH},
    ),
    Broken(
        "Keycloak: realm switched off",
        "realm_disabled",
        CLIENT | {"token_url": "{keycloak}/realms/asleep/" + TOKEN_PATH},
    ),
    Broken("Dex: client credentials", "grant_unsupported", DEX),
    Broken("Dex: scope openid missing", "scope_missing", DEX | PERSON),
    Broken(
        "Dex: wrong client secret",
        "unknown_client_or_secret",
        DEX | PERSON | {"scope": "openid"},
        environ={"SECRET": WRONG},
    ),
    Broken(
        "Dex: wrong password",
        "wrong_password",
        DEX | PERSON | {"scope": "openid"},
        environ={"PASSWORD": WRONG},
    ),
    Broken(
        "Dex: issuer by another name",
        "issuer_mismatch",
        DEX | {"issuer": "{dex_by_name}"},
    ),
    Broken(
        "TLS: authority unknown to this machine",
        "unknown_authority",
        KEYCLOAK | {"issuer": "{secure}/realms/doctor"},
        code=4,
    ),
    Broken(
        "TLS: ca_file of another authority",
        "wrong_ca_file",
        KEYCLOAK | {"issuer": "{secure}/realms/doctor", "tls": {"ca_file": "{other_ca_file}"}},
        code=4,
    ),
    Broken(
        "TLS: certificate ended",
        "certificate_expired",
        DEX | {"issuer": "{expired}"} | TRUSTING,
        code=4,
    ),
    Broken(
        "TLS: certificate of another name",
        "certificate_name",
        DEX | {"issuer": "{misnamed}"} | TRUSTING,
        code=4,
    ),
    Broken(
        "TLS: self-signed certificate", "self_signed", DEX | {"issuer": "{self_signed}"}, code=4
    ),
    Broken(
        "TLS: a certificate of ours is wanted",
        "client_certificate",
        CLIENT | {"token_url": "{demanding}/token"} | TRUSTING,
        code=4,
    ),
    Broken(
        "TLS: a port that speaks none",
        "no_tls",
        KEYCLOAK | {"issuer": "{plain_as_tls}/realms/doctor"},
        code=4,
    ),
    Broken(
        "Network: nobody listens",
        "port_closed",
        KEYCLOAK | {"issuer": "http://127.0.0.1:{nobody}/auth/realms/doctor"},
        code=4,
    ),
    Broken(
        "Network: name that nobody has",
        "name_unknown",
        KEYCLOAK | {"issuer": "https://keycloak.invalid/realms/doctor"},
        code=4,
    ),
    Broken("File: secret not set", "secret_missing", KEYCLOAK, environ={"SECRET": ""}, code=2),
    Broken(
        "API: token without the scope that it asks for",
        "scope_missing",
        KEYCLOAK,
        to("{userinfo}"),
    ),
    Broken(
        "API: Bearer missing before the token",
        "missing_bearer",
        KEYCLOAK | {"scope": "openid"},
        to("{userinfo}", scheme=""),
    ),
    Broken(
        "API: wants the ID token",
        "wrong_field",
        KEYCLOAK | {"scope": "openid"},
        to("{id_tokens_only}"),
    ),
    Broken("API: token for another audience", "wrong_audience", KEYCLOAK, to("{own_audience}")),
    Broken("API: token not believed", "token_rejected", KEYCLOAK, to("{nobody_believed}")),
    Broken("API: role missing", "not_allowed", KEYCLOAK, to("{admin}")),
    Broken("API: behind a login for browsers", "session_wanted", KEYCLOAK, to("{guarded}")),
    Broken(
        "API: nobody listens", "port_closed", KEYCLOAK, to("http://127.0.0.1:{nobody}/"), code=4
    ),
    Broken(
        "API: not protected at all",
        "not_protected",
        KEYCLOAK,
        to("{public}"),
        code=0,
        state="note",
    ),
)

ENVIRON: Final = {"SECRET": SECRET, "PASSWORD": MARYS_PASSWORD}
