"""Writes a first configuration from what somebody already has."""
