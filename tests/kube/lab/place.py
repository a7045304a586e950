"""Where the lab keeps what it built, and which addresses its network has."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]

NODE = "192.168.77.1"
"""The node, as pods reach it; servers of a test listen here."""

PODS = "10.244.0.0/16"
SERVICES, FIRST_SERVICE = "10.96.0.0/16", "10.96.0.1"
API = f"https://{NODE}:6443"
ISSUER = API
"""Of service account tokens: it publishes its keys below this address."""

IMAGE = "localhost/token-sidecar:test"
BASE_IMAGE = "localhost/debian-python:latest"
PAUSE_IMAGE = "localhost/pause:1"


def home() -> Path:
    """What is built once: programs and images. ``make`` says where, by ``KUBE_HOME``."""
    return Path(os.environ["KUBE_HOME"])
