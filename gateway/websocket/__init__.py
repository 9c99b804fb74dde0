"""WebSocket: frames, Autobahn with its gaps closed, and the session of one client."""
