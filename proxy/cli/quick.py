"""Recognizes the commands that run every few seconds, before anything else is imported.

Reads only what is written as their help has it; whatever else a command line says is left to the
whole program, which explains what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence


def quick(arguments: Sequence[str]) -> int | None:
    """Run the command line, if it is one of these; its exit code. None: it is not."""
    if not arguments or arguments[0] != "token":
        return None
    read = _read(arguments[1:])
    if read is None:
        return None
    from proxy.cli import edge, giving  # noqa: PLC0415 - only for these

    options, name = read
    seconds = _seconds(options.get("--min-ttl", "0"))
    if seconds is None:
        return None
    wanted = giving.Wanted(name, options.get("--config"), seconds, options.get("form", "token"))
    return edge.outcome(lambda: giving.give(wanted))


_VALUES = {"--config": "--config", "-c": "--config", "--min-ttl": "--min-ttl"}
_FORMS = {"--header": "header", "--json": "json"}


def _read(words: Sequence[str]) -> tuple[dict[str, str], str] | None:
    """The options and the one name; None: there is something else."""
    options: dict[str, str] = {}
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if word in _FORMS:
            options["form"] = _FORMS[word]
        elif option in _VALUES and (not equals or option.startswith("--")):
            given = value if equals else next(rest, None)
            if given is None:
                return None
            options[_VALUES[option]] = given
        elif word.startswith("-"):
            return None
        else:
            names.append(word)
    return (options, names[0]) if len(names) == 1 else None


def _seconds(text: str) -> float | None:
    from proxy.config.scalars import UnfitError, duration  # noqa: PLC0415 - only for these

    try:
        return duration(text)
    except UnfitError:
        return None
