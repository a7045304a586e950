"""Whatever a login meets, neither password nor cookies show in what is raised or represented."""

from __future__ import annotations

import traceback

import pytest

from proxy.errors import TokenRequestError
from tests.idp.session.conftest import Signing
from tests.support.identity_provider import Reply
from tests.support.web_application import FORM, page, redirect

SAID = "canary-password"
SET = {"Set-Cookie": "canary-name=canary-value; Path=/"}
REPLIES = [
    page(f"<title>{SAID}</title><p class=error>{SAID}"),
    page(f"<title>{SAID}</title><form><input name=otp>"),
    page(FORM.replace("<label>", f"<p role=alert>your password {SAID} is wrong</p>")),
    page(FORM.replace("<label>", "<p role=alert>canary%2Dpassword canary-password</p>")),
    page("", 500),
    Reply(401, SAID, SET),
    Reply(200, SAID, {"Content-Type": "text/plain", **SET}),
    redirect(f"/nowhere?{SAID}", **SET),
    redirect(f"http://{SAID}@192.0.2.1/{SAID}"),
    redirect(f"{SAID}:x"),
    redirect(f"http://{SAID}.example/"),
    Reply(200, "x" * 2_000_000, {"Content-Type": "text/html"}),
]


@pytest.mark.parametrize("reply", REPLIES)
async def test_no_password_or_cookie_in_errors_and_tracebacks(
    signing: Signing, reply: Reply
) -> None:
    signing.environ["PASSWORD"] = SAID
    signing.app.pages |= {"/gone": reply, "/nowhere": Reply(401, SAID)}
    signing.app.pages["/"] = page(FORM.replace("/login?step=1", "/gone"), **SET)
    try:
        told = repr(await signing.obtain())
    except TokenRequestError as error:
        told = f"{error} {error!r} {vars(error)}" + "".join(traceback.format_exception(error))
    assert "canary-password" not in told
    assert "canary-value" not in told
    assert len(signing.app.forms) == 1
