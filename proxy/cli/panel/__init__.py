"""What ``token-sidecar top`` is made of."""
