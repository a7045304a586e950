"""What another configuration changes, in plain values: as JSON for programs, as lines for people.

Holds names and keys only, never a value: it is shown to whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Restarted:
    """A credential that begins anew.

    Attributes:
        because: the keys that differ, or the files that do.
        keeps_token: what is issued stays the same, and so does the token at hand.
    """

    name: str
    because: tuple[str, ...]
    keeps_token: bool


@dataclass(frozen=True, slots=True)
class ChangedRoute:
    """A route that answers at the same place but not in the same way."""

    label: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listening:
    """Where it listens, before and after; each as ``key address``."""

    kept: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything that a change of configuration comes to.

    Attributes:
        kept, added, dropped: names of credentials.
        routes_kept, routes_added, routes_removed: labels of routes.
        settings: other keys that differ; from the next request on they hold.
        after_restart: keys that differ and hold from the next start on only.
        files: files that the configuration names and whose content is another.
    """

    kept: tuple[str, ...] = ()
    restarted: tuple[Restarted, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    listeners: Listening = Listening()
    routes_kept: tuple[str, ...] = ()
    routes_changed: tuple[ChangedRoute, ...] = ()
    routes_added: tuple[str, ...] = ()
    routes_removed: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    after_restart: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return any(
            (
                self.restarted,
                self.added,
                self.dropped,
                self.listeners.opened,
                self.listeners.closed,
                self.routes_changed,
                self.routes_added,
                self.routes_removed,
                self.settings,
                self.after_restart,
                self.files,
            )
        )

    def document(self) -> dict[str, Any]:
        """As JSON says it."""
        listeners = self.listeners
        return {
            "changed": bool(self),
            "credentials": {
                "kept": list(self.kept),
                "restarted": [
                    {
                        "name": one.name,
                        "because": list(one.because),
                        "token": "kept" if one.keeps_token else "new",
                    }
                    for one in self.restarted
                ],
                "new": list(self.added),
                "dropped": list(self.dropped),
            },
            "listeners": {
                "kept": list(listeners.kept),
                "opened": list(listeners.opened),
                "closed": list(listeners.closed),
            },
            "routes": {
                "kept": list(self.routes_kept),
                "changed": [
                    {"route": one.label, "because": list(one.because)}
                    for one in self.routes_changed
                ],
                "added": list(self.routes_added),
                "removed": list(self.routes_removed),
            },
            "settings": list(self.settings),
            "after_restart": list(self.after_restart),
            "files": list(self.files),
        }

    def brief(self) -> str:
        """In one line, for the log; counts where names would be many."""
        parts = (
            _some(self.kept, "credential kept", "credentials kept"),
            _named(tuple(one.name for one in self.restarted), "restarted"),
            _named(self.added, "new"),
            _named(self.dropped, "dropped"),
            _named(self.listeners.opened, "opened"),
            _named(self.listeners.closed, "closed"),
            _some(self.routes_added, "route added", "routes added"),
            _some(self.routes_changed, "route changed", "routes changed"),
            _some(self.routes_removed, "route removed", "routes removed"),
            _named(self.settings, "changed"),
            _named(self.after_restart, "after a restart"),
            _named(self.files, "another content of"),
        )
        return "; ".join(part for part in parts if part) if self else "nothing in it is new"


MOST_NAMED: Final = 5
"""Names in the log's line; the answer to whoever asked has them all."""


def _some(found: tuple[object, ...], one: str, more: str) -> str:
    return f"{len(found)} {one if len(found) == 1 else more}" if found else ""


def _named(found: tuple[str, ...], what: str) -> str:
    if not found:
        return ""
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"{what} {', '.join(found[:MOST_NAMED])}{more}"


def lines(changes: Mapping[str, Any]) -> Iterator[str]:
    """A ``document`` for people; nothing where nothing changes."""
    if not changes["changed"]:
        return
    credentials, listeners, routes = (
        changes[part] for part in ("credentials", "listeners", "routes")
    )
    if kept := tuple(credentials["kept"]):
        one, more = "credential stays, with its token", "credentials stay, with their tokens"
        yield f"  {_some(kept, one, more)}"
    for begun in credentials["restarted"]:
        how = {"kept": ", its token stays", "new": " with a new token"}[begun["token"]]
        yield f"~ credential {begun['name']}: restarted{how}: {', '.join(begun['because'])}"
    yield from (f"+ credential {name}: new" for name in credentials["new"])
    yield from (f"- credential {name}: dropped" for name in credentials["dropped"])
    yield from (f"  {one}: stays open" for one in listeners["kept"])
    yield from (f"+ {one}: opened" for one in listeners["opened"])
    yield from (f"- {one}: closed" for one in listeners["closed"])
    if stay := tuple(routes["kept"]):
        yield f"  {_some(stay, 'route stays as it is', 'routes stay as they are')}"
    for other in routes["changed"]:
        yield f"~ route {other['route']}: {', '.join(other['because'])}"
    yield from (f"+ route {label}: added" for label in routes["added"])
    yield from (f"- route {label}: removed" for label in routes["removed"])
    yield from (f"~ {key}: changed" for key in changes["settings"])
    yield from (f"~ {file}: its content is another" for file in changes["files"])
    yield from (f"! {key}: changes with the next start only" for key in changes["after_restart"])
