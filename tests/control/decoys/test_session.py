"""The login page that Seldon's ``SessionAuthenticator`` is led to, and its cookie."""

from __future__ import annotations

import pytest

from proxy.config.model import SdkLogin
from tests.control.decoys.conftest import CLIENTS, FORM, Sdk

LOGIN = ".token-sidecar/login"
MULTIPART = b"Content-Type: multipart/form-data; boundary=b0und"


def multipart(**fields: str) -> bytes:
    parts = [
        f'--b0und\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return "".join([*parts, "--b0und--\r\n"]).encode()


@pytest.mark.parametrize("path", ["", "api/v1alpha1", "seldon-deploy/api/v1alpha1"])
def test_the_servers_address_leads_to_the_page(path: str) -> None:
    sdk = Sdk(SdkLogin.SELDON_SESSION)
    told = sdk.ask("GET", path)
    assert (told.status, dict(told.fields)["Location"]) == (302, f"/api/{LOGIN}")
    page = sdk.ask("GET", LOGIN)
    assert b"name=login" in page.body
    assert b"name=password" in page.body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (MULTIPART, multipart(login="joe", password="n0te")),
        (FORM, b"login=joe&password=n0te"),
    ],
)
def test_the_cookie_counts_as_the_key_that_was_the_password(kind: bytes, body: bytes) -> None:
    sdk = Sdk(SdkLogin.SELDON_SESSION, CLIENTS, token=b"sid=real")
    told = sdk.ask("POST", LOGIN, body, kind)
    cookie = dict(told.fields)["Set-Cookie"].encode()
    assert (told.status, told.client) == (200, "notebook")
    assert b"real" not in cookie + told.body
    bare = cookie.partition(b";")[0]
    # as a browser, the SDK's ApiClient(cookie=…) and its config.id_token = … send it
    for line in (b"Cookie: a=b; " + bare, b"Cookie: " + cookie, b"Authorization: Bearer " + cookie):
        assert sdk.client(line) == "notebook"
    assert sdk.client(b"Cookie: other=" + bare.partition(b"=")[2]) is None
    sdk.wall.now += 31 * 24 * 3600
    assert sdk.client(b"Cookie: " + bare) is None


def test_a_wrong_password_brings_no_cookie() -> None:
    told = Sdk(SdkLogin.SELDON_SESSION, CLIENTS).ask("POST", LOGIN, multipart(login="a"), MULTIPART)
    assert told.status == 403
    assert "Set-Cookie" not in dict(told.fields)


def test_the_api_itself_is_the_upstreams() -> None:
    answers = Sdk(SdkLogin.SELDON_SESSION).answers
    assert answers.place(b"GET", (b"api", b"v1alpha1", b"users")) is None
    assert answers.place(b"POST", (b"",)) is None
