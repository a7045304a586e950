"""For Python programs that want tokens without the proxy.

Only what is used is imported: ``TokenSource`` here, an ``Auth`` from the module named after its
library, and nothing of the servers anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.client.source import TokenSource

__all__ = ["TokenSource"]


def __getattr__(name: str) -> object:
    if name == "TokenSource":
        from proxy.client.source import TokenSource  # noqa: PLC0415 - commands do without it

        return TokenSource
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
