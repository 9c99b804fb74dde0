"""``python -m benchmarks.send_message DEV PORT``: the usual program with Autobahn, one sendMessage for each packet and client.

The gateway's WebSocket figures are compared with it. It drains the serial port at each read, as the gateway does, so that only the
way of a packet to the clients differs.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tty

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor
from twisted.internet.abstract import FileDescriptor

clients: set[WebSocketServerProtocol] = set()


class Client(WebSocketServerProtocol):
    def onOpen(self) -> None:
        clients.add(self)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        clients.discard(self)


class Port(FileDescriptor):
    """The serial port; every line is sent to all clients."""

    def __init__(self, path: str) -> None:
        super().__init__(reactor)
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)
        fcntl.fcntl(self.fd, fcntl.F_SETFL, os.O_RDWR | os.O_NONBLOCK)
        self.rest = b""

    def fileno(self) -> int:
        return self.fd

    def doRead(self) -> None:
        data = self.rest
        for _ in range(15):
            try:
                more = os.read(self.fd, 4096)
            except BlockingIOError:
                break
            data += more
            if len(more) < 4095:
                break
        *lines, self.rest = data.split(b"\n")
        for line in lines:
            for client in clients:
                client.sendMessage(line, True)


def main(dev: str, port: str) -> None:
    factory = WebSocketServerFactory()
    factory.protocol = Client
    reactor.listenTCP(int(port), factory, backlog=1024, interface="127.0.0.1")
    reactor.addReader(Port(dev))
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
