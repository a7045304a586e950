"""What fits with ``sdk_login``: there must be something to keep from the SDK."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.config.file_keys import RouteKeys
from proxy.config.model import Credential, FromRequest, SdkLogin
from proxy.config.report import Section


def check_sdk_login(
    keys: RouteKeys, credentials: Mapping[str, Credential], section: Section
) -> None:
    """Report what makes the answer to a login useless, or lets it out."""
    if keys.sdk_login is None:
        return
    if keys.credential == "none":
        section.unfit(
            "sdk_login",
            "`sdk_login` needs a `credential`: with none the SDK's own token would go on",
        )
    found = credentials.get(keys.credential or "")
    if found is not None and found.subject == FromRequest():
        section.unfit(
            "sdk_login",
            f"`sdk_login` has no meaning here: `{found.name}` wants each caller's own token",
        )
    if keys.sdk_login is SdkLogin.SELDON_SESSION and keys.cookies:
        section.unfit(
            "cookies",
            "`cookies: true` would send the cookie on that `sdk_login: seldon-session` gives out",
        )
