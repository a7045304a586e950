"""``make fleet``: what many sidecars ask of a provider, each by itself and on one store."""
