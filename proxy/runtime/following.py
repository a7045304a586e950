"""Follows the files that a configuration is made of: which ones, and whether one is another now.

Kubernetes and editors write files anew that are the same as before: only another content counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from proxy.config.model import Config
from proxy.net.contents import Contents, Digest
from proxy.runtime.comparing import files
from proxy.runtime.preflight import references
from proxy.runtime.watching import FileWatch, Stamp, stamp


def read_files(config: Config) -> tuple[Path, ...]:
    """The files whose content is part of a configuration at work, beside itself."""
    return files(config)


def named_files(config: Config) -> tuple[Path, ...]:
    """All that a configuration names, secrets too: what one that was refused may lack."""
    secrets = (getattr(one, "path", None) for one in references(config))
    return (*files(config), *(path for path in secrets if isinstance(path, Path)))


class Following:
    """The configuration file and those that it names.

    Args:
        watch: tells that a file was written.
    """

    def __init__(self, watch: FileWatch) -> None:
        self._watch = watch
        self._contents = Contents()
        self._path: Path | None = None
        self._changed: Callable[[], None] = lambda: None
        self._ends: dict[Path, Callable[[], None]] = {}
        self._seen: dict[Path, Digest | None] = {}

    def begin(self, path: Path, read: Stamp, changed: Callable[[], None]) -> None:
        """Have ``changed`` called when a file may be another.

        First of all the configuration file ``path``, which had the stamp ``read`` when it was read.
        """
        self._path, self._changed = path, changed
        self._ends[path] = self._watch.watch(path, changed, since=read)
        if stamp(path) == read:
            self._seen[path] = self._contents.of(path)

    def of(self, named: Iterable[Path]) -> None:
        """Follow these beside the configuration file, and no others."""
        wanted = dict.fromkeys(named)
        for path in [path for path in self._ends if path not in wanted and path != self._path]:
            self._ends.pop(path)()
            self._seen.pop(path, None)
        self.also(wanted)
        self._contents.keep(self._ends)

    def also(self, named: Iterable[Path]) -> None:
        """Follow these as well."""
        for path in named:
            if path not in self._ends:
                self._ends[path] = self._watch.watch(path, self._changed)
                self._seen[path] = self._contents.of(path)

    def look(self) -> bool:
        """Whether one has another content than at the last look. Reads files: may take a while."""
        now = {path: self._contents.of(path) for path in list(self._ends)}
        before, self._seen = self._seen, now
        return any(path not in before or before[path] != digest for path, digest in now.items())

    def close(self) -> None:
        """Follow nothing any more."""
        for end in self._ends.values():
            end()
        self._ends.clear()
