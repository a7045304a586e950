"""What the pages name is there: files, make targets, commands; links outside are well formed.

``make docs`` checks links between pages and their anchors, and that the index names every page.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docs.site.checks import outside
from proxy.cli.main import COMMANDS
from tests.support.readme import REPOSITORY

PAGES = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "bench/*.md", "deploy/**/*.md")
    for page in REPOSITORY.glob(pattern)
)
NAMED = re.compile(
    r"`((?:proxy|tests|bench|deploy|docs)/[\w./*-]+|config\.example\.yaml|Dockerfile)`"
)
TARGET = re.compile(r"(?<![\w-])make ([a-z][a-z-]*)(?=[`\s.,;:)]|$)")
COMMAND = re.compile(r"(?:`|^|[|$] )token-sidecar ([a-z]+)\b(?! \d)", re.MULTILINE)
EXTERNAL = re.compile(r"\]\((https?:[^)]*)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


def of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def targets() -> set[str]:
    files = (REPOSITORY / "Makefile", *REPOSITORY.glob("tests/**/*.mk"))
    return {
        name
        for file in files
        for line in re.findall(r"^([a-z][a-z -]*):(?!=)", file.read_text(), re.MULTILINE)
        for name in line.split()
    }


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    for named in NAMED.findall(page.read_text()):
        assert list(REPOSITORY.glob(named.rstrip("/"))), named


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_every_target_that_a_page_names_can_be_made(page: Path) -> None:
    code = "\n".join(CODE.findall(page.read_text()))
    assert set(TARGET.findall(code)) <= targets()


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    assert set(COMMAND.findall(page.read_text())) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_links_to_other_hosts_are_well_formed(page: Path) -> None:
    for link in EXTERNAL.findall(page.read_text()):
        parts = urlsplit(link)
        assert parts.scheme == "https", link
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc), link
        assert " " not in link


def test_there_are_pages() -> None:
    assert len(PAGES) >= 12


LOADS = (
    '<script src="https://cdn.example.com/a.js"></script>',
    "<script>fetch('https://api.example.com/')</script>",
    '<link rel="stylesheet" href="//fonts.example.com/a.css">',
    '<img srcset="https://example.com/a.png 2x">',
    '<p style="background: url(https://example.com/a.png)">',
    "<style>@import 'https://example.com/a.css'</style>",
    '<meta http-equiv="refresh" content="0; url=https://example.com/">',
)


@pytest.mark.parametrize("page", LOADS)
def test_a_site_that_loads_from_another_host_is_found_out(page: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(page)
    assert "example.com" in "".join(outside(tmp_path))


def test_a_link_that_is_only_shown_loads_nothing(tmp_path: Path) -> None:
    shown = '<a href="https://example.com/">there</a><script src="_static/a.js"></script>'
    (tmp_path / "index.html").write_text(shown)
    assert not list(outside(tmp_path))


def test_a_site_without_pages_is_none(tmp_path: Path) -> None:
    assert list(outside(tmp_path))
