"""HTTP/1.1 for an intermediary, without I/O (RFC 9110, RFC 9112)."""
