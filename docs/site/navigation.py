"""What ties the pages together: docs/index.md is the navigation, and links may lead to directories.

The index is plain Markdown. Its headings become the sidebar's groups, and each list item that
begins with a link to a page becomes an entry there, so that a page which the index does not list is
one that Sphinx warns of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

_GROUP: Final = re.compile(r"^## (.+)$", re.MULTILINE)
_ENTRY: Final = re.compile(r"^- \[([^\]]+)\]\(([^)#]+)\.md\)", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx."""
    app.connect("source-read", _listed)
    app.add_post_transform(_Directories)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _listed(app: Sphinx, page: str, source: list[str]) -> None:
    if page == app.config.root_doc:
        source[0] += "".join(_trees(source[0]))


def _trees(text: str) -> Iterator[str]:
    """A hidden table of contents for each group of the index."""
    _, *groups = _GROUP.split(text)
    for caption, body in zip(groups[::2], groups[1::2], strict=True):
        if entries := _ENTRY.findall(body):
            listed = "\n".join(f"{title} <{target}>" for title, target in entries)
            yield f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


class _Directories(SphinxPostTransform):
    """A link to a directory of the repository shows its name; if there is none, MyST warns."""

    default_priority = 8  # before MyST's own, which is 9

    def run(self, **_: Any) -> None:
        """Put what a link shows into its place."""
        for link in list(self.document.findall(pending_xref)):
            page = Path(self.env.doc2path(link.get("refdoc", self.env.docname)))
            if link["reftype"] == "myst" and (page.parent / link["reftarget"]).is_dir():
                link.replace_self(link.children)
