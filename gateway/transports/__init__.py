"""Transports: what a link runs on. One file per name; `registry.names("transport")` lists them."""
