"""TLS: contexts, strict verification, handshakes with a deadline, TLS and plain text on one port."""
