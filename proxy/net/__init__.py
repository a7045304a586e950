"""Small HTTP requests to providers, bounded in time and size."""
