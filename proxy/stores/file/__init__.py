"""Entries in encrypted files that processes of one user share."""
