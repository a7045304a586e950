"""What ``check`` found, as lines, as JSON and as an exit code."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proxy.cli.failure import CONFIGURATION, REFUSED, UNREACHABLE, token_request_code
from proxy.errors import Problem, TokenRequestError
from proxy.runtime.outcome import Failed, Obtained, Outcome, Unasked


@dataclass(frozen=True, slots=True)
class Verdict:
    """Grows as the check goes on.

    Attributes:
        path: the file, as it was named.
        counts: how many credentials and routes there are, once that is known.
    """

    path: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    counts: tuple[int, int] | None = None
    obtained: tuple[Obtained, ...] = ()
    failed: tuple[Failed, ...] = ()
    unasked: tuple[Unasked, ...] = ()

    def mistaken(self, problems: Sequence[Problem]) -> Verdict:
        """With these mistakes."""
        return replace(self, problems=tuple(problems))

    def warned(self, warnings: Sequence[Problem]) -> Verdict:
        """With these warnings."""
        return replace(self, warnings=tuple(warnings))

    def counted(self, credentials: int, routes: int) -> Verdict:
        """Of a file that is right and holds this much."""
        return replace(self, counts=(credentials, routes))

    def asked(self, outcomes: Sequence[Outcome]) -> Verdict:
        """With what the providers said."""
        return replace(
            self,
            obtained=tuple(one for one in outcomes if isinstance(one, Obtained)),
            failed=tuple(one for one in outcomes if isinstance(one, Failed)),
            unasked=tuple(one for one in outcomes if isinstance(one, Unasked)),
        )

    @property
    def code(self) -> int:
        """The exit code; a refusal outweighs a provider that can't be reached.

        A login that somebody has yet to make is no mistake.
        """
        if self.problems:
            return CONFIGURATION
        codes = {token_request_code(one.error) for one in self.failed}
        return REFUSED if REFUSED in codes else UNREACHABLE if codes else 0

    def complaints(self) -> Iterator[str]:
        """For stderr: mistakes, warnings, refusals."""
        yield from map(str, self.problems)
        yield from (
            f"{one.file}:{one.line}:{one.column}: warning: {one.message}" for one in self.warnings
        )
        for obtained in self.obtained:
            yield from (f"{obtained.credential}: warning: {said}" for said in obtained.warnings)
        for failed in self.failed:
            yield f"{failed.credential}: {_what(failed.error)}: {failed.error}"
        yield from (f"{unasked.credential}: {unasked.message}" for unasked in self.unasked)

    def praise(self) -> Iterator[str]:
        """For stdout: what is right."""
        if self.counts is not None:
            credentials, routes = self.counts
            yield f"{self.path}: right; credentials: {credentials}, routes: {routes}"
        for obtained in self.obtained:
            yield f"{obtained.credential}: {', '.join(described(obtained))}"

    def as_json(self) -> str:
        """All of it for programs."""
        said: dict[str, Any] = {
            "ok": self.code == 0,
            "problems": [dataclasses.asdict(one) for one in self.problems],
            "warnings": [dataclasses.asdict(one) for one in self.warnings],
        }
        if self.obtained or self.failed or self.unasked:
            said["credentials"] = {
                **{one.credential: dataclasses.asdict(one) for one in self.obtained},
                **{
                    one.credential: {"error": str(one.error), "reason": one.error.reason}
                    for one in self.failed
                },
                **{
                    one.credential: {"message": one.message, "reason": one.reason}
                    for one in self.unasked
                },
            }
        return json.dumps(said, indent=2)


def _what(error: TokenRequestError) -> str:
    if error.reason == "store":
        return "unreadable"
    return "refused" if token_request_code(error) == REFUSED else "unreachable"


def described(obtained: Obtained) -> Iterator[str]:
    """What is known of a token, in a few words each."""
    yield obtained.field
    yield "does not expire" if obtained.lifetime is None else f"{obtained.lifetime:.0f} s"
    if obtained.left is not None:
        yield f"stored, {obtained.left:.0f} s left"
    for name in ("issuer", "audience", "subject"):
        value = getattr(obtained, name)
        if value is not None:
            yield f"{name} {value}"
