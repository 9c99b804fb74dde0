"""Addresses, sockets and devices that two links want."""

from __future__ import annotations

from gateway.config import load

from ..configuring import ConfigCase


def links(*places: str) -> str:
    return "".join(f"[{name}]\n{place}\n" for name, place in zip("abcdefgh", places, strict=False))


class Places(ConfigCase):
    def test_listeners(self) -> None:
        """Two links cannot listen on one address, nor one on all addresses of a port that another has."""
        self.assertEqual(
            self.mistakes(links("listen = 127.0.0.1:7000", "listen = localhost:7000", "listen = 0.0.0.0:7000")),
            [
                "gw.ini:4: [b] listen: localhost:7000 is taken: [a] listens on 127.0.0.1:7000: give one of them another port",
                "gw.ini:6: [c] listen: 0.0.0.0:7000 is taken: [a] listens on 127.0.0.1:7000: give one of them another port",
                "gw.ini:6: [c] listen: 0.0.0.0:7000 is taken: [b] listens on localhost:7000: give one of them another port",
            ],
        )
        self.config(links("listen = 127.0.0.1:7000", "listen = 127.0.0.1:7001", "listen = [::1]:7000", "listen = 127.0.0.2:7000"))
        self.config(links("listen = 127.0.0.1:0", "listen = 127.0.0.1:0"))

    def test_shared_listeners(self) -> None:
        """WebSocket links may share an address if their paths differ."""
        web = "transport = websocket\nlisten = 127.0.0.1:8080"
        self.config(links(web, f"{web}\npath = /b"))
        self.assertEqual(
            self.mistakes(links(web, web, "listen = 127.0.0.1:8080")),
            [
                "gw.ini:6: [b] listen: [a] has the same address and path: give one of them another path",
                "gw.ini:8: [c] listen: 127.0.0.1:8080 is taken: [a] listens on 127.0.0.1:8080: give one of them another port",
                "gw.ini:8: [c] listen: 127.0.0.1:8080 is taken: [b] listens on 127.0.0.1:8080: give one of them another port",
            ],
        )

    def test_almost_shared(self) -> None:
        """WebSocket links that share a port but not the address are refused with how to share both."""
        web = "transport = websocket\nlisten = {}:8080\n"
        (error,) = self.mistakes(links(web.format("127.0.0.1"), web.format("0.0.0.0") + "path = /b"))
        self.assertTrue(error.endswith(": give one of them another port, or both the same listen and each its own path"), error)

    def test_sockets(self) -> None:
        """A UNIX socket belongs to one link."""
        unix = "transport = unix\nlisten = a.sock"
        said = f"{self.directory}/a.sock is taken: [a] listens on {self.directory}/a.sock: give one of them another path"
        self.assertEqual(self.mistakes(links(unix, unix)), [f"gw.ini:6: [b] listen: {said}"])
        self.assertEqual(len(self.mistakes(links(unix, "transport = unix\nconnect = a.sock"))), 1)

    def test_devices(self) -> None:
        """A serial port belongs to one link; every loop:// is a port of its own."""
        self.assertEqual(
            self.mistakes(links("device = /dev/a", "device = /dev/a")),
            ["gw.ini:4: [b] device: /dev/a is already the device of [a]; to share it: attach = a"],
        )
        self.config(links("device = loop://", "device = loop://"))

    def test_ourselves(self) -> None:
        """A link that connects to another of the same file is refused."""
        for listen, connect in (("0.0.0.0:7000", "localhost:7000"), ("127.0.0.1:7000", "127.0.0.1:7000"), ("[::]:7000", "[::1]:7000")):
            said = f"gw.ini:4: [b] connect: {connect} is where [a] listens: join links of one file by subscribe or attach"
            self.assertEqual(self.mistakes(links(f"listen = {listen}", f"connect = {connect}")), [said])
        self.config(links("listen = 0.0.0.0:7000", "connect = 10.0.0.1:7000", "connect = localhost:7001"))
        self.assertEqual(len(self.mistakes(links("listen = 127.0.0.1:0", "connect = 127.0.0.1:0"))), 1)

    def test_ourselves_by_any_name(self) -> None:
        """It is refused under any address or name of this machine, and only these."""
        self.patch(load, "is_this_machine", lambda host: host in ("192.0.2.7", "edge", "127.0.0.1"))
        for listen, connect in (("0.0.0.0", "192.0.2.7"), ("[::]", "Edge"), ("192.0.2.7", "edge"), ("127.0.0.1", "0.0.0.0")):
            self.assertEqual(len(self.mistakes(links(f"listen = {listen}:7000", f"connect = {connect}:7000"))), 1, connect)
        for listen, connect in (("0.0.0.0", "192.0.2.8"), ("127.0.0.1", "192.0.2.7"), ("192.0.2.7", "centre"), ("10.0.0.1", "edge")):
            self.config(links(f"listen = {listen}:7000", f"connect = {connect}:7000"))

    def test_stars(self) -> None:
        """A star as host is refused with what to write."""
        self.assertEqual(
            self.mistakes(links("listen = *:7000", "connect = *:7001")),
            [
                "gw.ini:2: [a] listen: *:7000: * is not a host: write 0.0.0.0:7000 for all addresses",
                "gw.ini:4: [b] connect: *:7001: * is not a host: write the name or address of the server",
            ],
        )

    def test_with_other_mistakes(self) -> None:
        """Addresses are compared even if a section has other mistakes."""
        self.assertEqual(len(self.mistakes(links("listen = 127.0.0.1:1\nx = 1", "listen = 127.0.0.1:1\nx = 1"))), 3)
