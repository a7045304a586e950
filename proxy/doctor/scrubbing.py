"""The last line against secrets in findings: whatever a provider or an API repeats is hidden."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_plus

from proxy.config.model import Config
from proxy.doctor.finding import Finding
from proxy.errors import SecretError
from proxy.runtime.preflight import references
from proxy.secret import HIDDEN
from proxy.secrets.references import Direct

_SHORTEST: Final = 4
"""A shorter one would black out half of every sentence and hide nothing worth hiding."""


class Scrubbing:
    """Knows every secret of a configuration, and learns tokens as they come."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._values: set[str] = set()
        secrets = Direct(environ)
        for reference in references(config):
            with contextlib.suppress(SecretError):  # the step that needs it will tell
                self.learn(secrets(reference).read().reveal())

    def learn(self, *values: str) -> None:
        """Hide these from now on."""
        for value in values:
            forms = (value, value.strip(), quote(value, safe=""), quote_plus(value))
            self._values.update(form for form in forms if len(form) >= _SHORTEST)

    def clean(self, finding: Finding) -> Finding:
        """The finding without any of them."""
        return replace(
            finding, told=self._without(finding.told), advice=self._without(finding.advice)
        )

    def _without(self, text: str) -> str:
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text
