"""Everything the demonstration needs, on this machine alone."""
