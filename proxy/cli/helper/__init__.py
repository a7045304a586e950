"""Credential helpers: what kubectl, git and docker run to be given a token, in their words."""
