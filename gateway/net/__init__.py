"""Sockets and time: what every connection needs, whatever is said on it."""
