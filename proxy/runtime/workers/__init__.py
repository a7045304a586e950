"""Several processes that forward, and one that holds the tokens and keeps those at work."""
