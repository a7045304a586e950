"""Entries in Redis or Valkey, for processes on many machines."""
