"""Answers to the logins of vendors' SDKs: pure functions from request to answer, no I/O."""
