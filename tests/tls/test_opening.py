from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.approach import hand_over
from gateway.tls.contexts import client_context, server_context
from gateway.tls.failures import TlsFailed
from gateway.tls.opening import Connections, Opening
from gateway.tls.options import TlsOptions
from gateway.tls.transport import TlsTransport

from .. import certificates
from ..far_end import Application, End, FarEnd, client_side, server_side


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
