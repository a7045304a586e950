"""Sign-in forms of web applications: from a page's HTML to a session's cookies."""
