"""A Service as clients see it: new connections go to one of its endpoints, open ones stay.

An endpoint is removed some time after its instance was told to end, as nodes learn of it late.
"""

from __future__ import annotations

import random

from bench.rolling.instance import Instance


class Service:
    """The endpoints of this moment."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._endpoints: list[Instance] = []

    def add(self, instance: Instance) -> None:
        """It is ready."""
        self._endpoints.append(instance)

    def remove(self, instance: Instance) -> None:
        """Every node knows by now that it is ending."""
        self._endpoints.remove(instance)

    def pick(self) -> int:
        """The port that a new connection goes to."""
        instance = self._chance.choice(self._endpoints)
        instance.late += instance.stopping
        return instance.port
