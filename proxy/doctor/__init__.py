"""Goes through a configuration step by step and names the cause of what does not work."""
