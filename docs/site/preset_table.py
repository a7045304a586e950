"""What each preset fills in, found by filling in the presets of config.example.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from proxy.config.credential_keys import PRESETS, CredentialKeys
from proxy.config.grant_keys import FormKeys
from proxy.config.presets import fill
from proxy.config.report import Report
from proxy.config.secret_keys import Written

_HEAD: Final = "| preset | with | fills in |\n|---|---|---|\n"


def preset_table(credentials: Mapping[str, Any]) -> str:
    """A row for each preset of the example, and for those that are like another."""
    rows = [
        f"| `{written['preset']}` | {_given(written)} | {', '.join(_filled(written))} |"
        for name in PRESETS
        for written in credentials.values()
        if written.get("preset") == name
    ]
    told = {one["preset"] for one in credentials.values() if "preset" in one}
    rows += [f"| `{one}` | as `kubeflow` | as `kubeflow` |" for one in PRESETS if one not in told]
    return _HEAD + "\n".join(rows)


def _given(written: Mapping[str, Any]) -> str:
    return ", ".join(
        f"`{key}`" if isinstance(value, dict) else f"`{key}: {value}`"
        for key, value in written.items()
        if key != "preset"
    )


def _filled(written: Mapping[str, Any]) -> Iterator[str]:
    keys = CredentialKeys.model_validate(written)
    found = fill(keys, Report("").section("credentials", "example"))
    for name in CredentialKeys.model_fields:
        if getattr(found, name) != getattr(keys, name):
            yield f"`{name}: {_shown(getattr(found, name))}`"


def _shown(value: object) -> str:
    if isinstance(value, FormKeys):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {one}" for key, one in value.items()) + "}"
    if isinstance(value, tuple):
        return value[0] if len(value) == 1 else f"[{', '.join(value)}]"
    assert not isinstance(value, Written)  # noqa: S101 - no preset fills in a secret
    return str(value)
