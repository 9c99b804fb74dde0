"""TLS: contexts, strict verification, handshakes with a deadline, one port for TLS and plain."""
