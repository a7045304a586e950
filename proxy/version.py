"""The version, in one place; reading it from the installed distribution costs the start 20 ms."""

from typing import Final

VERSION: Final = "0.1.0"
