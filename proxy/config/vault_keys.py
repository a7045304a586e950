"""The keys of the ``vault`` section: where it is and how we log in there."""

from __future__ import annotations

from pydantic import Field

from proxy.config.keys import Keys, TlsKeys
from proxy.config.kinds import EgressProxy, Switch, Text, Url
from proxy.config.secret_keys import SecretKey


class VaultKubernetesKeys(Keys):
    """A login with the pod's service account token."""

    role: Text | None = Field(default=None, description="the role of the auth method")
    mount: Text = Field(default="kubernetes", description="where the auth method is enabled")
    token_file: Text = Field(
        default="/var/run/secrets/kubernetes.io/serviceaccount/token",
        description="the service account's token; read at each login",
    )


class VaultAppRoleKeys(Keys):
    """A login as a machine."""

    role_id: SecretKey | None = Field(default=None, description="the role's id: text or a secret")
    secret_id: SecretKey | None = Field(
        default=None, description="its secret id; may be absent where the role does not bind one"
    )
    mount: Text = Field(default="approle", description="where the auth method is enabled")


class VaultAuthKeys(Keys):
    """How we log in: one of these."""

    token: SecretKey | None = Field(
        default=None, description="a token, as a secret: {file: …} is what an agent's sink writes"
    )
    kubernetes: VaultKubernetesKeys | None = Field(
        default=None, description="the pod's service account"
    )
    approle: VaultAppRoleKeys | None = Field(default=None, description="a machine's role")


class VaultKeys(Keys):
    """A HashiCorp Vault or OpenBao, where {vault: path#field} stands."""

    address: Url | None = Field(default=None, description="its URL, without /v1")
    namespace: Text | None = Field(default=None, description="sent as X-Vault-Namespace")
    auth: VaultAuthKeys | None = Field(default=None, description="token, kubernetes or approle")
    tls: TlsKeys | None = Field(default=None, description="how to trust it")
    proxy: EgressProxy | None = Field(
        default=None, description="http://host:port, or none; default: HTTPS_PROXY and the like"
    )
    allow_insecure: Switch = Field(default=False, description="plain http to another machine")
