"""Links that dial: a far end that goes and comes back, over TCP and over UNIX sockets."""

from __future__ import annotations

import os
import stat
from typing import Any

from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from .running import Peer, connect, gateway, meanwhile, port_of, reactor
from .test_fan_out import folder


class TCPTests(TestCase):
    timeout = 120

    async def test_server_comes_back(self) -> None:
        """A link that dials logs the end of its server once, and connects again when the server is back; IPv6 in brackets."""
        place = folder(self)
        accepted: list[Peer] = []

        def serve(port: int) -> Any:
            class Accepted(Peer):
                def connectionMade(self) -> None:
                    accepted.append(self)

            return reactor.listenTCP(port, Factory.forProtocol(lambda: Accepted("accepted client")), interface="::1")

        server = serve(0)
        self.addCleanup(server.stopListening)
        number = server.getHost().port
        (place / "gw.ini").write_text(
            f"[lan]\nlisten = 127.0.0.1:0\nframing = lines\n[up]\nconnect = [::1]:{number}\nattach = lan\nframing = lines\n"
        )
        child = gateway(self, place / "gw.ini")
        client = await connect(self, await port_of(child, "lan"))
        await meanwhile(lambda: client.write(b"one\n"), (await self.nth(accepted, 0)).heard.containing(b"one\n"))
        await server.stopListening()
        accepted[0].transport.loseConnection()  # type: ignore[union-attr]
        await child.said.matching(r"\[up\] \[::1\]:\d+: .*; it is tried again until it is there")
        server = serve(number)
        self.addCleanup(server.stopListening)
        await child.said.matching(r"\[up\] \[::1\]:\d+: back after")
        await meanwhile(lambda: client.write(b"two\n"), (await self.nth(accepted, 1)).heard.containing(b"two\n"))
        accepted[1].write(b"down\n")
        await client.heard.containing(b"down\n")
        self.assertEqual(set(accepted[1].heard.data.split(b"\n")), {b"two", b""})
        accepted[1].transport.abortConnection()  # type: ignore[union-attr]
        await accepted[1].lost

    async def nth(self, accepted: list[Peer], index: int) -> Peer:
        """A client that has been accepted, once it is."""
        while len(accepted) <= index:
            await deferLater(reactor, 0.01)
        return accepted[index]


class UNIXTests(TestCase):
    timeout = 120

    async def test_both_ends(self) -> None:
        """One link listens on a UNIX socket that is its owner's alone, another program's client and a second gateway's link use it."""
        place = folder(self)
        path = f"{os.path.relpath(place)}/s"
        (place / "gw.ini").write_text("[lan]\nlisten = 127.0.0.1:0\n[local]\ntransport = unix\nlisten = s\nattach = lan\nframing = lines\n")
        (place / "second.ini").write_text(
            "[far]\ntransport = unix\nconnect = s\nattach = lan\n[lan]\nlisten = 127.0.0.1:0\nframing = lines\n"
        )
        first = gateway(self, place / "gw.ini")
        client = await connect(self, await port_of(first, "lan"))
        await first.said.containing(b"[local] listening on")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        second = gateway(self, place / "second.ini")
        far = await connect(self, await port_of(second, "lan"))
        local = await connectProtocol(UNIXClientEndpoint(reactor, path), Peer("UNIX client"))
        self.addCleanup(lambda: (local.transport.abortConnection(), local.lost)[1])
        await meanwhile(lambda: far.write(b"from far\n"), client.heard.containing(b"from far\n"))
        await meanwhile(lambda: client.write(b"to all\n"), local.heard.containing(b"to all\n"))
        await far.heard.containing(b"to all\n")
        await first.stop()
        await second.said.matching(r"\[far\] unix:.*s: .*it is tried again until it is there")
        self.assertFalse(os.path.exists(path))
