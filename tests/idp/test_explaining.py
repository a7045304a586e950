from __future__ import annotations

import pytest

from proxy.config.model import Grant
from proxy.errors import Explanation
from proxy.idp.causes import CAUSES
from proxy.idp.hints import hint
from proxy.oauth.authentication import ClientAuthentication
from tests.support.asking import asking
from tests.support.identity_provider import Reply

GRANT = Grant.CLIENT_CREDENTIALS


async def test_a_refusal_comes_with_the_words_of_the_table_of_causes() -> None:
    async with asking(GRANT) as run:
        run.provider.script = [Reply(400, {"error": "invalid_scope"})]
        error = await run.refused()
    (row,) = [one for one in CAUSES if (one.error, one.provider) == ("invalid_scope", None)]
    assert error.explanation == Explanation(row.name, row.meaning, row.advice)


async def test_a_confidential_client_without_a_secret_is_told_to_set_one() -> None:
    keys = {"client_id": "closed", "client_secret": None}
    async with asking(GRANT, client_auth=ClientAuthentication.NONE, **keys) as run:
        run.provider.script = [Reply(401, {"error": "invalid_client"})]
        error = await run.refused()
    assert error.explanation is not None
    assert error.explanation.cause == "secret_needed"


async def test_what_the_table_does_not_know_is_not_explained() -> None:
    async with asking(GRANT) as run:
        run.provider.script = [Reply(500, {"error": "surprise"})]
        assert (await run.refused()).explanation is None


async def test_no_answer_is_not_explained() -> None:
    async with asking(GRANT) as run:
        await run.provider.stop()
        error = await run.refused()
    assert error.reason == "connect"
    assert error.explanation is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("connect", "that the server runs"),
        ("timeout", "firewall"),
        ("dns", "typing mistakes"),
        ("http_429", "who else asks"),
        ("http_503", "the fault is the provider's"),
        ("temporarily_unavailable", "the fault is the provider's"),
        ("never heard of", "token-sidecar doctor"),
    ],
)
def test_each_reason_has_something_to_do(reason: str, words: str) -> None:
    assert words in hint(reason)
