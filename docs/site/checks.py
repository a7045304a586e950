"""Nothing that was built loads anything from another host: no font, script, image or frame.

    python docs/site/checks.py build/site

Judges each page's elements, each style sheet's url() and @import, and addresses in scripts. What a
reader clicks on may lead anywhere.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

_LOADS: Final = ("src", "srcset", "poster", "data", "action", "formaction", "background")
_LINKED: Final = ("canonical", "author", "license", "help")  # kinds of <link> that load nothing
_ELSEWHERE: Final = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_STYLED: Final = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s]+)""")
_ADDRESS: Final = re.compile(r"""["'`](https?://[^"'`\s]+|wss?://[^"'`\s]+)""")
_NAMES: Final = ("http://www.w3.org/",)  # of XML namespaces, which nobody fetches


class _Page(HTMLParser):
    """Gathers what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside = tag
        self.found += [given[name] for name in _LOADS if _ELSEWHERE.match(given.get(name, ""))]
        self.found += _STYLED.findall(given.get("style", ""))
        if tag == "link" and given.get("rel") not in _LINKED:
            self.found += [one for one in (given.get("href", ""),) if _ELSEWHERE.match(one)]
        if tag == "meta" and "url=" in given.get("content", ""):
            self.found += [one for one in given["content"].split("url=")[1:] if "//" in one]

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.found += _STYLED.findall(data)
        if self._inside == "script":
            self.found += _scripted(data)


def _scripted(text: str) -> list[str]:
    return [one for one in _ADDRESS.findall(text) if not one.startswith(_NAMES)]


def loaded(file: Path) -> list[str]:
    """The addresses of other hosts that this file would load."""
    text = file.read_text(errors="replace")
    if file.suffix in {".css", ".svg"}:
        return [one for one in _STYLED.findall(text) if not one.startswith(_NAMES)]
    if file.suffix == ".js":
        return _scripted(text) if file.name != "searchindex.js" else []
    page = _Page()
    page.feed(text)
    return page.found


def outside(site: Path) -> Iterator[str]:
    """Each address with the file that loads it."""
    kinds = {".html", ".css", ".js", ".svg"}
    files = sorted(one for one in site.rglob("*") if one.suffix in kinds)
    if not any(one.suffix == ".html" for one in files):
        yield f"{site}: no page is there"
    for file in files:
        for address in loaded(file):
            yield f"{file}: loads {address}"


if __name__ == "__main__":
    if problems := list(outside(Path(sys.argv[1]))):
        sys.exit("\n".join(problems))
