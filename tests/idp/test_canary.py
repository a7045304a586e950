"""Whatever goes wrong, nothing that was sent shows up in what is raised."""

from __future__ import annotations

import traceback

import pytest

from proxy.config.model import Grant
from proxy.oauth.authentication import ClientAuthentication
from tests.support.asking import asking
from tests.support.identity_provider import Reply

SAID = "canary-client&1 canary-client%261 canary-person"
REPLIES = [
    Reply(400, {"error": "invalid_grant", "error_description": SAID}),
    Reply(401, {"error": "canary-person", "error_description": SAID}),
    Reply(200, {"error": "invalid_client", "error_description": SAID}),
    Reply(200, {"access_token": "canary\n", "token_type": "Bearer"}),
    Reply(200, {"access_token": "canary", "token_type": "canary"}),
    Reply(200, {"id_token": "canary"}),
    Reply(200, "<html>canary</html>"),
    Reply(200, ["canary"]),
    Reply(302, "canary", {"Location": "https://canary.example"}),
    Reply(403, "canary"),
    Reply(429, "canary", {"Retry-After": "canary"}),
    Reply(500, "canary"),
    Reply(200, b"canary", {"Content-Encoding": "gzip"}),
    Reply(200, "canary" * 1_000_000),
    Reply(close=True),
]


@pytest.mark.parametrize("how", [ClientAuthentication.BASIC, ClientAuthentication.POST])
@pytest.mark.parametrize("reply", REPLIES)
async def test_no_secret_token_or_body_in_errors_and_tracebacks(
    reply: Reply, how: ClientAuthentication
) -> None:
    async with asking(Grant.PASSWORD, client_auth=how, params={"more": "canary-param"}) as run:
        run.environ |= {"CLIENT_SECRET": "canary-client&1", "PASSWORD": "canary-person"}
        run.provider.otherwise = reply
        error = await run.refused()
    assert "canary" not in f"{error} {error!r} {vars(error)}"
    assert "canary" not in "".join(traceback.format_exception(error))
