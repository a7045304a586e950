"""OAuth 2.0 and OpenID Connect without I/O: build a request, read an answer."""
