"""Serial ports: opened, locked, set, named; as Twisted transports."""
