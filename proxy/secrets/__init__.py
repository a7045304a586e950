"""Where a secret value comes from, and that it changed."""
