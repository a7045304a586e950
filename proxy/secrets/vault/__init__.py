"""Secrets in HashiCorp Vault or OpenBao, over their HTTP API."""
