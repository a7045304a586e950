"""Where a secret may stand, as the file writes it, and the Vault that some stand in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config import model
from proxy.config.model import Config

VAULT = "vault: {address: https://v:8200/, auth: {token: {env: T}}}\n"


def static(secret: str) -> str:
    return f"credentials: {{a: {{grant: static, token: {secret}}}}}\n"


def token(config: Config) -> model.SecretReference:
    found = config.credentials["a"].token
    assert found is not None
    return found


def test_a_command_is_found_from_the_file_or_in_the_path(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    found = token(loaded(static("{command: [./get, -x, './y'], every: 5m}")))
    assert isinstance(found, model.CommandSecret)
    assert found.argv == (str(directory / "get"), "-x", "./y")
    assert found.every == 300.0
    found = token(loaded(static("{command: [~/bin/get]}")))
    assert isinstance(found, model.CommandSecret)
    assert found.argv == ("/home/mary/bin/get",)
    assert found.every == 60.0
    found = token(loaded(static("{command: [op, canary]}")))
    assert isinstance(found, model.CommandSecret)
    assert found.argv == ("op", "canary")
    assert "canary" not in repr(found)


def test_a_credential_of_systemd_has_a_name(loaded: Callable[[str], Config]) -> None:
    found = token(loaded(static("{systemd: api}")))
    assert isinstance(found, model.SystemdSecret)
    assert found.name == "api"


def test_a_secret_in_vault_knows_its_vault(loaded: Callable[[str], Config]) -> None:
    found = token(loaded(VAULT + static("{vault: /secret/a/b#c, every: 30s}")))
    assert isinstance(found, model.VaultSecret)
    assert (found.path, found.key, found.every) == ("secret/a/b", "c", 30.0)
    assert found.vault.address == "https://v:8200"
    assert isinstance(found.vault.login, model.VaultToken)


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (
            "{kubernetes: {role: r}}",
            "/var/run/secrets/kubernetes.io/serviceaccount/token",
        ),
        ("{kubernetes: {role: r, mount: /k8s/, token_file: t}}", "DIRECTORY/t"),
    ],
)
def test_a_pod_logs_in_with_a_file(
    loaded: Callable[[str], Config], directory: Path, auth: str, expected: str
) -> None:
    text = f"vault: {{address: http://127.0.0.1:8200, auth: {auth}}}\n"
    found = token(loaded(text + static("{vault: secret/a#b}")))
    assert isinstance(found, model.VaultSecret)
    login = found.vault.login
    assert isinstance(login, model.VaultKubernetes)
    assert isinstance(login.token, model.FileSecret)
    assert str(login.token.path) == expected.replace("DIRECTORY", str(directory))
    assert login.mount == ("k8s" if "k8s" in auth else "kubernetes")


def test_a_role_id_is_no_secret_to_be_warned_about(loaded: Callable[[str], Config]) -> None:
    auth = "{approle: {role_id: r, secret_id: {file: s}}}"
    config = loaded(f"vault: {{address: https://v, auth: {auth}}}\n{static('{vault: s/a#b}')}")
    assert not config.warnings
    found = token(config)
    assert isinstance(found, model.VaultSecret)
    assert isinstance(found.vault.login, model.VaultAppRole)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (static("{vault: a/b#c}"), "1:41: `token` is in Vault: the file's `vault:` has to say"),
        (VAULT + static("{vault: a#c}"), "`vault` must be path#field"),
        (VAULT + static("{vault: a/../b#c}"), "`vault` must be path#field"),
        (VAULT + static("{vault: a/b}"), "`vault` must be path#field"),
        (static("{command: op read x}"), "`command` must be a list"),
        (static("{command: []}"), "`command` must be a list"),
        (static("{command: [3]}"), "`command` must be text"),
        (static("{systemd: a/b}"), "`systemd` must be a credential's name"),
        (static("{command: [a], every: 0s}"), "`every` must be 1s or more"),
        (static("{env: A, every: 5s}"), "`every` has no meaning for env"),
        (static("{comand: [a]}"), "did you mean `command`?"),
        (static("{command: [a], env: B}"), "must have exactly one of"),
        ("vault: {address: https://v}\n", "`vault` needs `auth`"),
        ("vault: {auth: {token: {env: A}}}\n", "`vault` needs `address`"),
        ("vault: {address: http://v, auth: {token: {env: A}}}\n", "over plain http to another"),
        (
            "vault: {address: https://v, auth: {token: {vault: a/b#c}}}\n",
            "opens Vault and can't stand in it",
        ),
        ("vault: {address: https://v, auth: {kubernetes: {}}}\n", "`kubernetes` needs `role`"),
        ("vault: {address: https://v, auth: {approle: {}}}\n", "`approle` needs `role_id`"),
        (
            "vault: {address: https://v, auth: {approle: {role_id: a}, token: {env: A}}}\n",
            "exclude each other",
        ),
    ],
)
def test_what_is_wrong_is_located_and_told_what_would_be_right(
    problems: Callable[[str], list[str]], text: str, expected: str
) -> None:
    (found,) = problems(text)
    assert expected in found


def test_a_wrong_vault_is_told_once_however_many_secrets_stand_in_it(
    problems: Callable[[str], list[str]],
) -> None:
    (found,) = problems("vault: {auth: {token: {env: A}}}\n" + static("{vault: a/b#c}"))
    assert "`address`" in found
