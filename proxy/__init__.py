"""token-sidecar: a local sidecar that puts live credentials on the requests it forwards."""
