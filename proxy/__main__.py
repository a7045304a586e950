"""``python -m proxy`` is the command ``token-sidecar``; so is what pip installs."""

import sys


def main() -> None:
    """The program."""
    from proxy.cli.quick import quick  # noqa: PLC0415 - in the order of what it costs

    code = quick(sys.argv[1:])
    if code is None:
        from proxy.cli.main import outcome  # noqa: PLC0415

        code = outcome(sys.argv[1:])
    sys.exit(code)


if __name__ == "__main__":
    main()
