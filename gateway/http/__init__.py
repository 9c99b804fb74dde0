"""HTTP in front of a WebSocket: the head of a request, the page, and who may come in."""
