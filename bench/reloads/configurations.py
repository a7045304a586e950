"""The configurations that the sidecar is given: good ones that differ, and ones it must refuse."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

ROUTES = 30
"""Routes beside those that are always there; some of them come and go."""

ALWAYS = """\
listen:
  - 127.0.0.1:{listen}
{more_listeners}admin: 127.0.0.1:{admin}
{metrics_line}state_dir: {home}/state
log: {{access: false}}
hold: {hold}s
workers: {workers}
limits: {{head_time: {head_time}s, replay_budget: {budget}MiB}}
providers:
  main:
    token_url: http://127.0.0.1:{provider}/token
    tls: {{ca_file: ca.pem}}
credentials:
  steady: {{provider: main, client_id: steady, client_secret: {{file: secret}}, client_auth: post}}
  changing:
    provider: main
    client_id: changing
    client_secret: {{file: secret}}
    client_auth: post
    scope: scope-{scope}
    renew: {{margin: {margin}s}}
{more_credentials}routes:
  - {{path: /steady/, upstream: "http://127.0.0.1:{upstream}/at/steady/", credential: steady}}
  - {{path: /changing/, upstream: "http://127.0.0.1:{upstream}/at/changing/", credential: changing}}
  - path: /version/
    upstream: http://127.0.0.1:{upstream}/at/steady/{version}/
    credential: steady
    timeouts: {{idle: {idle}s}}
{more_routes}"""

CREDENTIAL = """\
  extra{number}:
    provider: main
    client_id: extra{number}
    client_secret: {{file: secret}}
    client_auth: post
    required: false
    renew: {{idle: 1m}}
"""
ROUTE = """\
  - path: /extra{number}/
    upstream: http://127.0.0.1:{upstream}/at/{credential}/
    credential: {credential}
"""


class Configurations:
    """Draws one after the other.

    Args:
        home: where the file lies.
        ports: by name; ``extra`` ones are listened at now and then.
    """

    def __init__(
        self, home: Path, ports: Mapping[str, int], workers: int, chance: random.Random
    ) -> None:
        self._home = home
        self._ports = ports
        self._workers = workers
        self._chance = chance
        self.version = 0
        self.extra: list[int | Path] = []
        self._last = ""

    def good(self) -> bytes:
        """The next version."""
        self.version += 1
        draw = self._chance
        ports = [port for name, port in self._ports.items() if name.startswith("extra")]
        chosen: list[int | Path] = [port for port in ports if draw.random() < 0.5]
        if draw.random() < 0.5:
            chosen.append(self._home / "more.sock")
        self.extra = chosen
        self._last = self._text(chosen)
        return self._last.encode()

    def _text(self, extra: list[int | Path]) -> str:
        draw = self._chance
        listeners = (
            f"  - 127.0.0.1:{one}\n" if isinstance(one, int) else f"  - unix:{one}\n"
            for one in extra
        )
        credentials = [number for number in range(5) if draw.random() < 0.5]
        names = ["steady", "changing", *(f"extra{number}" for number in credentials)]
        routes = [number for number in range(ROUTES) if draw.random() < 0.6]
        values: dict[str, object] = {
            "home": self._home,
            "workers": self._workers,
            "version": self.version,
            "hold": draw.choice((10, 11, 12)),
            "head_time": draw.randrange(10, 20),
            "budget": draw.randrange(8, 32),
            "scope": self.version // 3 % 7,
            "margin": draw.choice((10, 20, 30)),
            "idle": draw.choice((100, 200, 300)),
            "metrics_line": f"metrics: 127.0.0.1:{self._ports['metrics']}\n"
            if draw.random() < 0.5
            else "",
            "more_listeners": "".join(listeners),
            "more_credentials": "".join(CREDENTIAL.format(number=one) for one in credentials),
            "more_routes": "".join(
                ROUTE.format(
                    number=one, upstream=self._ports["upstream"], credential=draw.choice(names)
                )
                for one in routes
            ),
        }
        return ALWAYS.format(**values, **self._ports)

    def broken(self) -> tuple[str, bytes]:
        """One that must be refused, and what is wrong with it."""
        kind = self._chance.choice(list(_BREAKS))
        return kind, _BREAKS[kind](self._last.replace(f"/{self.version}/", "/broken/"), self)

    @property
    def taken(self) -> int:
        """A port that somebody else has."""
        return self._ports["upstream"]


def _half_written(text: str, self: Configurations) -> bytes:
    """Cut inside the braces of a line that is always there."""
    begin = text.index("  - {path: /steady/")
    return text[: begin + self._chance.randrange(8, 40) if self else begin].encode()


def _one_key_among_500(text: str, self: Configurations) -> bytes:
    wrong = self._chance.randrange(500)
    rows = (
        f"  - {{path: /row{row}/, {'upstraem' if row == wrong else 'upstream'}: "
        f'"http://127.0.0.1:{self.taken}/at/steady/", credential: steady}}\n'
        for row in range(500)
    )
    return (text + "".join(rows)).encode()


_BREAKS: Mapping[str, Callable[[str, Configurations], bytes]] = {
    "half written": _half_written,
    "one key among 500": _one_key_among_500,
    "a name of nothing": lambda text, _: text.replace(
        "credential: changing}", "credential: nobody}"
    ).encode(),
    "a secret that is not there": lambda text, _: text.replace(
        "{file: secret}", "{file: absent}", 1
    ).encode(),
    "a variable that is not set": lambda text, _: text.replace(
        "{file: secret}", "{env: NOT_SET_HERE}", 1
    ).encode(),
    "a port of somebody else": lambda text, self: text.replace(
        "listen:\n", f"listen:\n  - 127.0.0.1:{self.taken}\n", 1
    ).encode(),
    "an admin port of somebody else": lambda text, self: text.replace(
        f"admin: 127.0.0.1:{self._ports['admin']}", f"admin: 127.0.0.1:{self.taken}"
    ).encode(),
    "not UTF-8": lambda text, _: text.encode().replace(b"steady", b"st\xe9ady", 1),
    "empty": lambda _, __: b"",
    "no certificate": lambda text, _: text.replace("ca_file: ca.pem", "ca_file: secret").encode(),
    "a route twice": lambda text, self: (
        text + ROUTE.format(number=99, upstream=self.taken, credential="steady") * 2
    ).encode(),
    "a tab": lambda text, _: text.replace("hold:", "\thold:").encode(),
    "a word for a time": lambda text, _: text.replace(
        "limits: {head_time:", "limits: {head_time: soon, body_idle:"
    ).encode(),
    "too large": lambda text, _: text.encode() + b"#" * (1 << 20),
}
