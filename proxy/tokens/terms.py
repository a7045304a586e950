"""On what terms a token is lent to another process: the lease, its moments, whether a try runs.

All that ``current`` has to know, in one value; both clocks are the machine's, so its moments mean
the same in every process.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.tokens.lease import Lease
from proxy.tokens.policy import OVER, Schedule


@dataclass(frozen=True, slots=True)
class Terms:
    """What one credential has to lend at one moment.

    Attributes:
        lease: None where there is no token, or a 401 rejected it.
        moments: of the lease.
        trying: a try is in flight, for which requests wait from ``hard`` on.
    """

    lease: Lease | None = None
    moments: Schedule = OVER
    trying: bool = False
