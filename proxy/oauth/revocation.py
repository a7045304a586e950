"""What a revocation endpoint answered: RFC 7009 section 2.2."""

from __future__ import annotations

from proxy.message import Answer
from proxy.oauth.body import parse
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.refusal import redirect, refusal


def read(answer: Answer, about: Circumstances) -> None:
    """Nothing, if the token is of no more use: one that never was is as good as revoked.

    Raises:
        TokenRequestError: the provider did not do it.
    """
    if 300 <= answer.status < 400:
        raise redirect(answer, about.where)
    if not 200 <= answer.status < 300:
        raise refusal(answer, parse(answer.body) or {}, about)
