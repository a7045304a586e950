"""Carries an OAuth request to a provider and brings a token back."""
