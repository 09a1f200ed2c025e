"""Scripts, and the session that holds two roles to them: bytes in, bytes out, no socket."""
