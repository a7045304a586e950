"""What an entry is called in Redis: three keys, by a hash of its identity.

The braces keep the keys of one entry in one slot of a cluster, so that one script may touch them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "token-sidecar:"
CHANNEL: Final = f"{PREFIX}changed"
"""Where a message tells which entry was replaced, by its hash."""


@dataclass(frozen=True, slots=True)
class Names:
    """Of one entry.

    Attributes:
        entry: a hash: ``sealed``, the entry, and ``fence``, under which lease it was saved.
        lease: who may renew and save; it ends by itself.
        fence: how many leases there were.
        digest: of the identity; it stands in the messages.
    """

    entry: str
    lease: str
    fence: str
    digest: str

    @property
    def keys(self) -> tuple[str, str, str]:
        """In the order that the scripts take them."""
        return self.entry, self.lease, self.fence


def names(identity: str) -> Names:
    """The names of this identity's entry; the identity does not show in them."""
    digest = hashlib.sha256(identity.encode()).hexdigest()[:32]
    stem = f"{PREFIX}{{{digest}}}"
    return Names(f"{stem}:entry", f"{stem}:lease", f"{stem}:fence", digest)
