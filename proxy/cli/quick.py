"""Recognizes the commands that run every few seconds, before anything else is imported.

Reads only what is written as their help has it; whatever else a command line says is left to the
whole program, which explains what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def quick(arguments: Sequence[str]) -> int | None:
    """Run the command line, if it is one of these; its exit code. None: it is not."""
    match arguments[:1]:
        case ["token"]:
            return _token(arguments[1:])
        case ["credential"]:
            return _credential(arguments[1:])
        case _:
            return None


def _token(words: Sequence[str]) -> int | None:
    read = _read(words, {"--min-ttl": "--min-ttl"}, {"--header": "header", "--json": "json"})
    if read is None or len(read[1]) != 1:
        return None
    from proxy.cli import edge, giving  # noqa: PLC0415 - only for these

    options, (name,) = read
    seconds = _seconds(options.get("--min-ttl", "0"))
    if seconds is None:
        return None
    wanted = giving.Wanted(name, options.get("--config"), seconds, options.get("form", "token"))
    return edge.outcome(lambda: giving.give(wanted))


def _credential(words: Sequence[str]) -> int | None:
    read = _read(words, {"--username": "--username", "--url": "--url"}, {})
    if read is None or not _MOST[0] <= len(read[1]) <= _MOST[1]:
        return None
    from proxy.cli import edge  # noqa: PLC0415 - only for these
    from proxy.cli.helper import protocols, wanted  # noqa: PLC0415

    options, (protocol, name, *operation) = read
    if protocol not in protocols.OPERATIONS:
        return None
    call = wanted.Wanted(
        protocol,
        name,
        operation[0] if operation else None,
        options.get("--config"),
        options.get("--username", wanted.USERNAME),
        (options["--url"],) if "--url" in options else (),
    )
    return edge.outcome(lambda: protocols.serve(call))


_MOST = (2, 3)
"""Words after ``credential``."""


def _read(
    words: Sequence[str], valued: Mapping[str, str], forms: Mapping[str, str]
) -> tuple[dict[str, str], list[str]] | None:
    """The options and what else there is; None: something is not known here.

    Args:
        words: of the command line, after the command.
        valued: options that have a value, and what each means.
        forms: options that have none.
    """
    valued = {"--config": "--config", "-c": "--config", **valued}
    options: dict[str, str] = {}
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if word in forms:
            options["form"] = forms[word]
        elif option == "--url" and option in options:
            return None  # more than one: as said above
        elif option in valued and (not equals or option.startswith("--")):
            given = value if equals else next(rest, None)
            if given is None:
                return None
            options[valued[option]] = given
        elif word.startswith("-"):
            return None
        else:
            names.append(word)
    return options, names


def _seconds(text: str) -> float | None:
    from proxy.config.scalars import UnfitError, duration  # noqa: PLC0415 - only for these

    try:
        return duration(text)
    except UnfitError:
        return None
