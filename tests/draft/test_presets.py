from __future__ import annotations

import pytest

from proxy.config.credential_keys import PRESETS
from proxy.config.model import EnvSecret, FileSecret, Grant
from tests.draft.conftest import CANARY, Desk

SECRET = ("--secret", "client_secret=env:S")
PERSON = ("--set", "username=mary", "--secret", "password=env:P")
PAGE = ("--set", "url=https://app.example.com/x", *PERSON)
UPSTREAM = ("--upstream", "https://api.example.com/")
COMPLETE = {
    "wallaroo": ("--set", "suffix=wallaroo.dev", "--set", "prefix=a-5", *SECRET),
    "seldon": ("--set", "host=ml.example.com", *SECRET),
    "seldon-session": PAGE,
    "runai": ("--set", "realm=acme", "--set", "client_id=app", *SECRET),
    "runai-api": ("--set", "host=acme.run.ai", "--set", "client_id=app", *SECRET),
    "eggplant": ("--set", "login_url=https://d/auth", "--set", "client_id=i", *SECRET, *UPSTREAM),
    "kubeflow": PAGE,
}


def test_every_preset_has_its_questions() -> None:
    assert set(COMPLETE) == set(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_becomes_a_configuration_that_is_right(desk: Desk, preset: str) -> None:
    desk.right("--preset", preset, *COMPLETE[preset])
    assert list(desk.config.credentials) == [preset]
    assert desk.config.routes[0].credential == preset


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_preset_needs_is_named_where_nobody_can_be_asked(desk: Desk, preset: str) -> None:
    said = desk.wrong("--preset", preset)
    assert "is missing" in said
    assert "there is no terminal to ask at: give --" in said


@pytest.mark.parametrize(
    ("preset", "upstream"),
    [
        ("wallaroo", "https://a-5.api.wallaroo.dev/"),
        ("seldon", "https://ml.example.com/"),
        ("runai", "https://app.run.ai/"),
        ("runai-api", "https://acme.run.ai/"),
        ("kubeflow", "https://app.example.com/"),
    ],
)
def test_a_presets_api_is_where_it_usually_is(desk: Desk, preset: str, upstream: str) -> None:
    desk.right("--preset", preset, *COMPLETE[preset])
    assert desk.upstream == upstream


def test_seldon_with_nothing_but_a_host_is_a_login_by_browser(desk: Desk) -> None:
    desk.right("--preset", "seldon", "--set", "host=ml.example.com")
    assert desk.credential.grant is Grant.AUTHORIZATION_CODE
    assert desk.config.store is not None


def test_a_person_has_a_password_too(desk: Desk) -> None:
    said = desk.wrong("--preset", "wallaroo", "--set", "suffix=w", *SECRET, "--set", "username=m")
    assert "password is missing" in said


@pytest.mark.parametrize("flags", [(), ("--preset", "eggplant")])
def test_eggplants_download_stays_where_it_is(desk: Desk, flags: tuple[str, ...]) -> None:
    download = desk.written(
        "dai.csv", f"client_id,client_secret,token_url\nid,{CANARY},https://d.example.com/token\n"
    )
    (desk.directory / download).chmod(0o600)
    desk.right("--credentials-file", download, *flags, *UPSTREAM)
    assert desk.credential.client_id == "id"
    assert CANARY not in desk.text


def test_an_ini_is_as_good(desk: Desk) -> None:
    content = f"[a]\nclient_id=id\nclient_secret={CANARY}\ntoken_url=https://d/token\n"
    desk.right("--credentials-file", desk.written("dai.ini", content), *UPSTREAM)
    assert desk.credential.client_id == "id"


def test_a_file_that_is_no_download_is_told_as_check_tells_it(desk: Desk) -> None:
    said = desk.wrong("--credentials-file", desk.written("x.csv", "a,b\n"), *UPSTREAM)
    assert said.startswith("token-sidecar.yaml:8:")
    assert "has no client_id and client_secret: neither as csv nor as ini" in said


@pytest.mark.parametrize(
    ("grant", "flags"),
    [
        ("client_credentials", SECRET),
        ("password", PERSON),
        ("refresh_token", ("--secret", "refresh_token=env:R")),
        ("authorization_code", ()),
        ("device_code", ()),
        ("token_exchange", ("--set", "subject=request", *SECRET)),
        ("jwt_bearer", ("--secret", "assertion=env:A")),
    ],
)
def test_a_grant_can_be_set_by_hand(desk: Desk, grant: str, flags: tuple[str, ...]) -> None:
    endpoint = ("--set", "issuer=https://i", "--set", "client_id=me")
    desk.right("--set", f"grant={grant}", *endpoint, *flags, *UPSTREAM)
    assert desk.credential.grant == grant


def test_keys_inside_a_key_lists_switches_and_numbers_can_be_set(desk: Desk) -> None:
    desk.right(
        *("--set", "issuer=https://i", "--set", "client_id=123", *SECRET, *UPSTREAM),
        *("--set", "params.a=x y", "--set", "params.b=2", "--set", "use=id_token,access_token"),
        *("--set", "required=false", "--name", "mine"),
    )
    found = desk.config.credentials["mine"]
    assert (found.client_id, found.params) == ("123", {"a": "x y", "b": "2"})
    assert (found.use, found.required) == (("id_token", "access_token"), False)


def test_a_port_is_a_number(desk: Desk) -> None:
    desk.right(
        *("--set", "issuer=https://i", "--set", "client_id=me", *UPSTREAM),
        *("--set", "grant=authorization_code", "--set", "redirect_port=8400"),
    )
    assert desk.credential.redirect_port == 8400


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), "what to start from is not said, and there is no terminal"),
        (("--preset", "walaroo"), "no preset of that name; did you mean `wallaroo`?"),
        (("--preset", "x"), "no preset of that name; known: wallaroo, seldon"),
        (("--preset", "runai", "--issuer", "https://i"), "--preset and --issuer exclude each"),
        (("--set", "client_id"), "--set takes KEY=VALUE"),
        (("--set", f"client_secret={CANARY}"), "client_secret is a secret: the process list"),
        (("--set", "a=b", "--secret", f"client_secret={CANARY}"), "takes env:NAME, file:PATH or"),
        (("--set", "a=b", "--secret", f"client_secret={CANARY}:x"), "takes env:NAME, file:PATH or"),
        (("--set", "a=b", "--secret", f"{CANARY}=env:X"), "--secret takes one of client_secret"),
        (("--preset", "kubeflow", "--name", "a/b"), "--name is made of at most 64 letters"),
        (("--issuer", "login.example.com"), "--issuer takes a URL such as https://"),
        (("--issuer", "https://i", "--offline"), "the grant is not said"),
        (("--set", "client_idd=a", "--set", "issuer=https://i", "--set", "client_id=a",
          *SECRET, *UPSTREAM), "unknown key `client_idd`; did you mean `client_id`?"),
        (("--preset", "wallaroo", "--set", "suffix=w", "--secret", "client_secret=file:absent"),
         "absent does not exist; create it or mend the path"),
        (("--curl", "absent"), "absent can't be read: No such file or directory"),
        (("--curl", "."), ". can't be read: Is a directory"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_said_and_nothing_is_written(
    desk: Desk, flags: tuple[str, ...], expected: str
) -> None:
    assert expected in desk.wrong(*flags)


def test_an_issuer_need_not_be_asked(desk: Desk) -> None:
    flags = ("--set", "grant=device_code", "--set", "client_id=me", *UPSTREAM)
    desk.right("--issuer", "https://login.example.com/", "--offline", *flags)
    assert desk.credential.grant is Grant.DEVICE_CODE


def test_a_secrets_place_is_named_and_no_value_asked_for(desk: Desk) -> None:
    (desk.directory / "s").write_text(CANARY)
    (desk.directory / "s").chmod(0o600)
    flags = ("--set", "suffix=w", "--secret", "client_secret=file:s")
    assert desk.right("--preset", "wallaroo", *flags) == ""
    assert isinstance(desk.credential.client_secret, FileSecret)


def test_a_variable_that_is_not_set_yet_is_told(desk: Desk) -> None:
    said = desk.right("--preset", "wallaroo", "--set", "suffix=w", "--secrets", "env")
    assert said == "environment variable WALLAROO_CLIENT_SECRET is not set yet: export it\n"
    assert isinstance(desk.credential.client_secret, EnvSecret)
