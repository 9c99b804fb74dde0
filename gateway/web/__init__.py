"""What a WebSocket link needs besides its transport: frames, the HTTP in front of them, the hardened protocol, and the page."""
