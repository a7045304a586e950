"""``python -m proxy`` is the command ``token-sidecar``."""

from proxy.cli.main import main

if __name__ == "__main__":
    main()
