"""Wires: the whole conversation of one session, as bytes and packets. Pure."""
