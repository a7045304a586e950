"""How Sphinx makes the site: which files are its pages, and how it looks.

The repository itself is the source, so that a link works on the site as it does in a checkout:
README and CHANGELOG are pages beside those in docs/. Nothing here reaches for the network, and
nothing that is built does (``docs/site/checks.py`` sees to that).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "token-sidecar"
copyright = "the authors of token-sidecar"  # noqa: A001 - Sphinx's name for it
_ROOT = Path(__file__).parents[2]
release = version = re.search(
    r'^version = "(.+)"', (_ROOT / "pyproject.toml").read_text(), re.MULTILINE
)[1]

extensions = ["myst_parser", "navigation"]
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/*.md",
    "bench/RESULTS.md",
    "deploy/**/*.md",
]
exclude_patterns = [".*", "build", "dist", "proxy", "tests", "docs/site", "**/node_modules"]
nitpicky = True

suppress_warnings = ["misc.highlighting_failure"]  # the lexer's: what was written may be right
myst_heading_anchors = 4  # as GitHub makes them, so that `page.md#heading` works in both places
myst_enable_extensions = ["html_image"]

# Examples' own addresses, and this machine's, are nobody's.
linkcheck_ignore = [r"https?://([^/]*\.)?(example\.(com|org)|localhost|127\.0\.0\.1)([:/]|$)"]
linkcheck_timeout = 20

html_theme = "furo"
html_title = "token-sidecar"
html_extra_path = ["top"]
html_copy_source = False
html_show_sphinx = False
html_permalinks_icon = "#"
html_theme_options = {
    "top_of_page_buttons": [],
    # The fonts that are there already: none is fetched.
    "light_css_variables": {"font-stack": "system-ui, sans-serif"},
}
