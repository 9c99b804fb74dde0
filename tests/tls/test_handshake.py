from __future__ import annotations

import os
import ssl
from typing import Any

from twisted.internet.error import ConnectionLost, NoProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import ConfigError
from gateway.net.admission import Admission
from gateway.peer import Peer
from gateway.tls.arrival import Arrivals
from gateway.tls.failures import TlsFailed
from gateway.tls.handshake import client_factory, server_factory
from gateway.tls.opening import LINGER
from gateway.tls.options import TlsOptions

from .. import certificates
from ..certificates import DNS, IP, authority, issue, odd_certificates
from ..far_end import PEER, Application, End, FarEnd, Said, server_side


class ClientTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.said = Said("up")
        self.built: list[tuple[Application, Peer]] = []
        self.failures: list[Any] = []

    def tearDown(self) -> None:
        """Whatever happened, no timer is left."""
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def build(self, address: Any, security: Peer) -> Any:
        application = Application()
        self.built.append((application, security))
        return application

    def failed(self, reason: Failure) -> None:
        self.failures.append(reason.value)

    def connect(self, host: str = "localhost", **given: Any) -> End:
        options = TlsOptions(**{"ca": certificates.ca_file(), **given})
        factory = client_factory(
            self.build,
            options,
            host,
            report=self.said,
            reactor=self.clock,
            failed=self.failed,
        )
        return End(factory.buildProtocol(PEER))

    def meet(self, end: End, context: ssl.SSLContext | None = None, step: int = 1 << 20) -> FarEnd:
        far = FarEnd(context or server_side(), end, server_side=True)
        far.talk(step)
        return far

    def test_verified_then_built(self) -> None:
        """The application is built when the server has proved who it is, not before, and speaks through TLS alone."""
        for step in (1, 1 << 20):
            end = self.connect()
            self.assertEqual(self.built, [])
            far = self.meet(end, step=step)
            ((application, security),) = self.built
            application.transport.write(b"ping")
            far.talk()
            far.write(b"pong")
            far.talk()
            self.assertEqual((security, far.data, application.data), (Peer(True), b"ping", b"pong"))
            self.assertIs(end.protocol.wrappedProtocol, application)
            self.built.clear()
        self.assertEqual((self.failures, self.said.texts), ([], []))

    def test_names(self) -> None:
        """A server is known by DNS name, with or without the root's dot, by a name in Unicode, by IP address, or by server_name."""
        site = issue(authority(), DNS("gw.example"), DNS("xn--bcher-kva.example"), IP("192.0.2.7"))
        folder = self.mktemp()
        os.makedirs(folder)
        files = site.write(folder, "site")
        for host, given in (
            ("gw.example", {}),
            ("GW.example.", {}),
            ("bücher.example", {}),
            ("192.0.2.7", {}),
            ("10.0.0.1", {"server_name": "gw.example"}),
            ("other.example", {"verify": "ca-only"}),
            ("other.example", {"verify": "no", "ca": None}),
        ):
            self.meet(self.connect(host, **given), server_side(files))
            self.assertEqual((len(self.built), self.failures), (1, []), host)
            self.built.clear()

    def test_the_name_asked_for(self) -> None:
        """A server is asked for its name (SNI), and for none where it is known by its IP address (RFC 6066, section 3)."""
        for host, expected in (("localhost", "localhost"), ("127.0.0.1", None), ("::1", None)):
            asked: list[str | None] = []
            context = server_side()
            context.sni_callback = lambda _, name, __, asked=asked: asked.append(name)
            self.meet(self.connect(host), context)
            self.assertEqual((asked, self.failures), ([expected], []))

    def test_odd_certificates(self) -> None:
        """A server with any odd certificate gets no application and not one byte of its data; the failure has an event."""
        expected = {
            "expired": "certificate_expired",
            "not yet valid": "certificate_not_yet_valid",
            "signed by itself": "certificate_untrusted",
            "an unknown CA": "certificate_untrusted",
            "for clients only": "certificate_refused",
            "signed by no CA": "certificate_refused",
            "a URI that cannot be parsed": "certificate_refused",
        }
        folder = self.mktemp()
        os.makedirs(folder)
        for kind, issued in odd_certificates().items():
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = server_side(issued.write(folder, kind.replace(" ", "-")))
                context.maximum_version = version
                end = self.connect()
                far = self.meet(end, context)
                self.assertIsNotNone(far.error, kind)
                end.lose()
                self.assertEqual((self.built, len(self.failures)), ([], 1), kind)
                error = self.failures.pop()
                self.assertIsInstance(error, TlsFailed)
                self.assertEqual(error.event, expected.get(kind, "host_mismatch"), kind)

    def test_own_certificate_of_the_server_as_ca(self) -> None:
        """A server that signed its certificate itself is trusted where exactly that certificate is the ca."""
        folder = self.mktemp()
        os.makedirs(folder)
        files = issue(None, DNS("localhost"), common_name="localhost").write(folder, "own")
        self.meet(self.connect(ca=files[0]), server_side(files))
        self.assertEqual((len(self.built), self.failures), (1, []))

    def test_a_silent_server(self) -> None:
        """A server that does not finish the handshake is given up after handshake_timeout, and that is reported."""
        end = self.connect(handshake_timeout=3)
        self.clock.advance(2.9)
        self.assertFalse(end.aborted)
        self.clock.advance(0.2)
        self.assertTrue(end.aborted)
        end.lose()
        self.assertEqual([error.event for error in self.failures], ["tls_handshake_timeout"])
        self.assertIn("within 3 s", self.failures[0].text)

    def test_a_plain_server(self) -> None:
        """A server that speaks plain text is not spoken to in clear; the failure says what it spoke."""
        end = self.connect()
        end.clear()
        end.protocol.dataReceived(b"220 serial.example ready\r\n")
        self.assertTrue(end.disconnecting)
        end.lose()
        self.assertEqual((self.built, self.failures[0].event), ([], "not_tls"))
        self.assertIn("speaks plain text (b'220 serial.example ready", self.failures[0].text)

    def test_a_server_that_vanishes(self) -> None:
        """A connection that ends in the handshake fails once."""
        self.connect().lose(ConnectionLost())
        self.assertEqual([error.event for error in self.failures], ["tls_handshake_failed"])

    def test_refused_after_the_handshake(self) -> None:
        """With TLS 1.3 a server may refuse our certificate after we were done; then the application learns it, and why."""
        end = self.connect()
        far = self.meet(end, server_side(clients=certificates.ca_file()))
        far.talk()
        end.lose()
        ((application, _),) = self.built
        self.assertEqual(self.failures, [])
        self.assertEqual(application.reason.event, "tls_refused_by_peer")
        self.assertIn("requires a client certificate: set certificate and private_key", application.reason.text)

    def test_client_certificate(self) -> None:
        """A server that requires a certificate gets ours."""
        certificate, key = certificates.rover()
        far = self.meet(self.connect(certificate=certificate, private_key=key), server_side(clients=certificates.ca_file()))
        self.assertEqual((len(self.built), self.failures), (1, []))
        found = far.tls.getpeercert()
        assert found is not None
        self.assertIn(("URI", "spiffe://example/dev/rover7"), found["subjectAltName"])

    def test_no_verification_is_loud(self) -> None:
        """Each start of a client that verifies nothing says so; others say nothing."""
        self.connect(verify="no", ca=None)
        self.connect()
        self.assertEqual(len(self.said.texts), 1)
        self.assertIn("[up] localhost: connects to ANYBODY", self.said.texts[0])
        self.clock.advance(10)

    def test_no_application(self) -> None:
        """Where none is built the connection is closed, cut if need be, and this is no failure."""
        self.build = lambda address, security: None  # type: ignore[method-assign]
        end = self.connect()
        self.meet(end)
        self.clock.advance(LINGER)
        self.assertTrue(end.aborted)
        end.lose()
        self.assertEqual(self.failures, [])

    def test_a_fault_of_ours(self) -> None:
        """Where the builder raises, the connection is closed and the attempt has failed: it is not waited for it for ever."""

        def broken(address: Any, security: Peer) -> Any:
            raise ZeroDivisionError

        self.build = broken  # type: ignore[method-assign]
        end = self.connect()
        self.meet(end)
        self.assertEqual([type(error) for error in self.failures], [NoProtocol])
        self.clock.advance(LINGER)
        end.lose()
        self.assertEqual((len(self.failures), self.said.events), (1, ["failures"]))

    def test_files_that_went_bad(self) -> None:
        """Files that cannot be used any more raise a ConfigError that names option and path, and nothing is connected."""
        error = self.assertRaises(ConfigError, self.connect, ca="/nowhere/ca.pem")
        self.assertIn("ca: /nowhere/ca.pem", str(error))


class ServerTests(SynchronousTestCase):
    def test_what_it_is(self) -> None:
        """The factory of a listener takes accepted connections, and raises a ConfigError for files that cannot be used."""
        certificate, key = certificates.site()

        def make(path: str) -> Any:
            options = TlsOptions(certificate=path, private_key=key)
            return server_factory(lambda address, security: None, options, report=Said("lan"), reactor=Clock(), admission=Admission())

        self.assertIsInstance(make(certificate), Arrivals)
        self.assertIn("certificate: /nowhere/site.pem", str(self.assertRaises(ConfigError, make, "/nowhere/site.pem")))
