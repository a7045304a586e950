"""Tokens and the one object per credential that always holds one worth sending."""
