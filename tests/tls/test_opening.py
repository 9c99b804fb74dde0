from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.approach import hand_over
from gateway.peer import PLAIN
from gateway.tls.contexts import client_context, server_context
from gateway.tls.failures import TlsFailed
from gateway.tls.opening import Connections, Opening, built, peer_of
from gateway.tls.options import TlsOptions
from gateway.tls.transport import TlsTransport

from .. import certificates
from ..far_end import PEER, Application, End, FarEnd, Said, client_side, server_side


def open_server(completed: Any, lost: Any) -> tuple[TlsTransport, End]:
    certificate, key = certificates.site()
    context = server_context(TlsOptions(certificate=certificate, private_key=key))
    tls = TlsTransport(TLSMemoryBIOFactory(Connections(context), False, Factory(), Clock()), Opening(completed, lost))
    return tls, End(tls)


class OpeningTests(SynchronousTestCase):
    def test_nothing_stays_in_the_way(self) -> None:
        """After the handshake the application stands directly on TLS, and has what came together with its last message."""
        application = Application()
        tls, end = open_server(lambda tls: hand_over(tls, application), self.fail)
        far = FarEnd(client_side(), end)
        far.talk()
        far.write(b"at once")
        far.talk()
        self.assertIs(tls.wrappedProtocol, application)
        self.assertIs(application.transport, tls)
        self.assertEqual((application.data, tls.beginning), (b"at once", b""))

    def test_an_end_before(self) -> None:
        """A connection that ends in its handshake is reported once, with a reason, and nothing is completed."""
        lost: list[TlsFailed] = []
        _, end = open_server(self.fail, lost.append)
        end.protocol.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
        end.lose()
        self.assertEqual([error.event for error in lost], ["not_tls"])
        self.assertIn("speaks HTTP", lost[0].text)

    def test_server_name(self) -> None:
        """A client asks for the name that it is given, and for none where it has none."""
        for name in (b"gw.example", None):
            asked: list[Any] = []
            context = server_side()
            context.sni_callback = lambda _, name, __, asked=asked: asked.append(name)
            factory = TLSMemoryBIOFactory(Connections(client_context(TlsOptions(verify="no"), "x"), name), True, Factory(), Clock())
            end = End(TlsTransport(factory, Application()))
            FarEnd(context, end, server_side=True).talk()
            self.assertEqual(asked, [name.decode() if name else None])


class BuildTests(SynchronousTestCase):
    def test_an_exception_closes_one_connection(self) -> None:
        """A builder that raises gives no application, and a log entry that names link and peer."""
        said = Said("lan")
        self.assertIsNone(built(lambda address, security: 1 / 0, PEER, PLAIN, said))  # type: ignore[arg-type,return-value]
        self.assertEqual(([failure.type for failure in said.failures], said.events), ([ZeroDivisionError], ["failures"]))
        application = Application()
        self.assertIs(built(lambda address, security: application, PEER, PLAIN, said), application)

    def test_peers(self) -> None:
        """A peer is shown as one would write its address."""
        shown = [peer_of(IPv4Address("TCP", "192.0.2.7", 1)), peer_of(IPv6Address("TCP", "2001:db8::1", 2)), peer_of(UNIXAddress(None))]
        self.assertEqual(shown, ["192.0.2.7:1", "[2001:db8::1]:2", "local"])
