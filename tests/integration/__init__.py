"""With real ptys, sockets, TLS, child processes; `peers` also with programs of others, from packages."""
