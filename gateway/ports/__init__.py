"""Serial ports: how they are named, opened, locked and set, and their Twisted transports."""
