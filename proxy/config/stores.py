"""Resolves where tokens are kept."""

from __future__ import annotations

from proxy.config.file_keys import FileKeys
from proxy.config.model import FileStore
from proxy.config.report import Report
from proxy.config.shared import secret
from proxy.config.surroundings import Surroundings


def resolve(file: FileKeys, report: Report, around: Surroundings) -> FileStore | None:
    """The file store, or None for this process's memory."""
    if file.store is None:
        return None
    section = report.section("store")
    if "file" not in file.store.model_fields_set:
        section.missing(
            ("file", "redis"), "`store` needs `file`: the directory that tokens are kept in"
        )
    directory = around.path(file.store.file or f"{file.state_dir}/tokens")
    if directory.exists() and not directory.is_dir():
        section.wrong("file", f"`file` names {directory}, a file: a directory is needed")
    return FileStore(
        directory, secret(file.store.encryption_key, "encryption_key", section, around)
    )
