"""Chooses what a draft is made from: a preset, a file, pasted text, or an issuer's own word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proxy.config.credential_keys import PRESETS
from proxy.config.report import suggestion
from proxy.draft import discovery
from proxy.draft.asking import Asker, Question
from proxy.draft.curl import from_curl
from proxy.draft.draft import Draft
from proxy.draft.envoy import from_envoy
from proxy.draft.oauth2_proxy import from_oauth2_proxy
from proxy.errors import DraftError

_FLAGS: Final = "--preset, --issuer, --curl, --credentials-file, --envoy or --oauth2-proxy"
LARGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Origin:
    """What whoever asked has: one of these, or none.

    Attributes:
        preset: a vendor's name.
        issuer: asked for what it offers, unless ``offline``.
        credentials_file: a vendor's csv or ini, which stays where it is.
        curl, envoy, oauth2_proxy: a file's name, ``-`` for standard input.
    """

    preset: str | None = None
    issuer: str | None = None
    credentials_file: str | None = None
    curl: str | None = None
    envoy: str | None = None
    oauth2_proxy: str | None = None
    offline: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """The names of those that are given."""
        names = ("preset", "issuer", "credentials_file", "curl", "envoy", "oauth2_proxy")
        return tuple(name for name in names if getattr(self, name))


def draft_of(
    origin: Origin,
    grant: str | None,
    asker: Asker,
    environ: Mapping[str, str],
    standard_input: Callable[[int], str],
) -> Draft:
    """What ``origin`` says.

    Args:
        origin: at most one thing.
        grant: the one that is wanted, where somebody said it.
        asker: chooses a grant.
        environ: tells the way to an issuer.
        standard_input: reads at most so many characters of it.

    Raises:
        DraftError: it says nothing that can be used, or there is more than one.
        TokenRequestError: the issuer can't be asked.
        ConfigurationError: an Envoy file can't be read.
    """
    if len(origin.given) > 1 and origin.given != ("preset", "credentials_file"):
        shown = " and ".join(f"--{name.replace('_', '-')}" for name in origin.given)
        raise DraftError(f"{shown} exclude each other: give one of them")
    if origin.curl:
        return from_curl(_text(origin.curl, standard_input))
    if origin.envoy:
        return from_envoy(_text(origin.envoy, standard_input), origin.envoy)
    if origin.oauth2_proxy:
        return from_oauth2_proxy(_text(origin.oauth2_proxy, standard_input))
    if origin.issuer:
        return _of_issuer(origin, grant, asker, environ)
    if origin.preset and origin.preset not in PRESETS:
        hint = suggestion(origin.preset, PRESETS) or f"; known: {', '.join(PRESETS)}"
        raise DraftError(f"there is no preset of that name{hint}")
    draft = Draft()
    if origin.preset or origin.credentials_file:
        draft = draft.having("preset", origin.preset or "eggplant")
    if origin.credentials_file:
        draft = draft.having("credentials_file", origin.credentials_file)
    return draft


def _of_issuer(
    origin: Origin, grant: str | None, asker: Asker, environ: Mapping[str, str]
) -> Draft:
    issuer = origin.issuer or ""
    if not issuer.startswith(("https://", "http://")):
        raise DraftError("--issuer takes a URL such as https://login.example.com/realms/main")
    draft = Draft(keys={"issuer": issuer})
    grants = discovery.GRANTS if origin.offline else discovery.offered(issuer, environ)
    if grant is None:
        grant = asker.choice("the grant", grants, "--set grant=…")
    elif grant in discovery.GRANTS and grant not in grants:
        draft = draft.noting(f"{issuer} names no endpoint for grant {grant}")
    return draft if grant == "client_credentials" else draft.having("grant", grant)


def menu(asker: Asker, paste: Callable[[], str], environ: Mapping[str, str]) -> Draft:
    """What a person has, where no flag said it.

    Raises:
        DraftError: nobody is there, or what was pasted says nothing.
        TokenRequestError: the issuer can't be asked.
    """
    chosen = asker.choice("what to start from", (*PRESETS, "issuer", "curl"), _FLAGS)
    if chosen == "curl":
        return from_curl(paste())
    if chosen == "issuer":
        issuer = asker.answer(Question("issuer", "the issuer's address"))
        return _of_issuer(Origin(issuer=issuer), None, asker, environ)
    return Draft(keys={"preset": chosen})


def _text(name: str, standard_input: Callable[[int], str]) -> str:
    if name == "-":
        text = standard_input(LARGEST + 1)
        if len(text) > LARGEST:
            raise DraftError("standard input is larger than 1 MiB: is it the right file?")
        return text
    try:
        with Path(name).open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise DraftError(f"{name} can't be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise DraftError(f"{name} is larger than 1 MiB: is it the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DraftError(f"{name} is not UTF-8 text: save it as UTF-8") from None
