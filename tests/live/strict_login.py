"""A person's login at the strict provider without the sidecar: PKCE, a code, a refresh token."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp

from tests.live.scripted_browser import Person

CALLBACK = "http://127.0.0.1/callback"
VERIFIER = "a-verifier-of-the-tests-that-is-long-enough-to-be-one"
CHALLENGE = "4mJ3LOB1JyflD7kQJoC78glBEGd4fBt1TMp8aqSNHFk"


async def code(issuer: str, client: str) -> str:
    """What a person's sign-in yields (RFC 6749 section 4.1.2)."""
    asked = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid api",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    came = await Person().visit(f"{issuer}/auth?{urlencode(asked)}", until=CALLBACK)
    return parse_qs(urlsplit(came).query)["code"][0]


def exchange(code: str) -> dict[str, str]:
    """The form that turns the code into tokens."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return form | {"code_verifier": VERIFIER}


async def refresh_token(issuer: str, client: str, secret: str, http: aiohttp.ClientSession) -> str:
    """A refresh token of a client with a secret in the form."""
    form = exchange(await code(issuer, client)) | {"client_id": client, "client_secret": secret}
    async with http.post(f"{issuer}/token", data=form) as answer:
        return str((await answer.json())["refresh_token"])
