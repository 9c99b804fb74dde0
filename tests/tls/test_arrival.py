from __future__ import annotations

import os
import ssl
from typing import Any

from OpenSSL import SSL
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.admission import Admission
from gateway.peer import Peer
from gateway.tls import arrival
from gateway.tls.arrival import Arrivals
from gateway.tls.options import TlsOptions
from gateway.tls.transport import TlsTransport

from .. import certificates
from ..certificates import CLIENT, DAY, DNS, SERVER, URI, authority, issue
from ..far_end import PEER, Application, End, FarEnd, Said, client_side

HELLO = b"\x16\x03\x01\x02\x00\x01"


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.admission = Admission(3, 3)
        self.said = Said("lan")
        self.built: list[tuple[Application, Peer]] = []
        self.arrivals = self.listen()

    def tearDown(self) -> None:
        """Whatever happened, no timer and no ticket is left."""
        self.assertEqual((len(self.admission), self.clock.getDelayedCalls()), (0, []))

    def build(self, address: Any, security: Peer) -> Any:
        application = Application()
        self.built.append((application, security))
        return application

    def listen(self, **given: Any) -> Arrivals:
        certificate, key = certificates.site()
        options = TlsOptions(certificate=certificate, private_key=key, **given)
        self.arrivals = Arrivals(self.build, options, self.said, self.clock, self.admission, ())
        return self.arrivals

    def arrive(self, address: Any = PEER) -> End:
        return End(self.arrivals.buildProtocol(address))

    def assert_refused(self, end: End, words: str) -> None:
        """It is closed, never had an application, and one line says why."""
        self.assertTrue(end.aborted or end.disconnecting)
        end.lose()
        self.assertEqual((self.built, len(self.said.texts)), ([], 1), self.said.texts)
        self.assertIn(words, self.said.texts[0])
        self.assertIn(f": {self.said.events[-1]}: ", self.said.texts[0])
        self.assertTrue(self.said.texts[0].startswith("[lan] 192.0.2.7:5122: "))


class TlsTests(Case):
    def test_secured_then_built(self) -> None:
        """The application is built when the handshake is done, not before, however the bytes come, and speaks through TLS alone."""
        for step in (1, 7, 1 << 20):
            self.setUp()
            end = self.arrive()
            far = FarEnd(client_side(), end)
            self.assertEqual(self.built, [])
            far.talk(step)
            ((application, security),) = self.built
            self.assertEqual(security, Peer(True))
            far.write(b"ping")
            far.talk(step)
            application.transport.write(b"pong")
            far.talk()
            self.assertEqual((application.data, far.data), (b"ping", b"pong"))
            self.assertIs(type(end.protocol), TlsTransport)
            self.assertIs(end.protocol.wrappedProtocol, application)
            self.assertEqual((len(self.admission), self.clock.getDelayedCalls(), self.said.texts), (0, [], []))
            end.lose(ConnectionLost())
            self.assertIsInstance(application.reason, ConnectionLost)

    def test_a_silent_handshake(self) -> None:
        """A client that says nothing, or half a ClientHello, is cut after handshake_timeout."""
        for sent, words in ((b"", "sent nothing for 10.1 s"), (HELLO + bytes(100), "did not finish the TLS handshake within 10 s")):
            self.setUp()
            end = self.arrive()
            if sent:
                end.protocol.dataReceived(sent)
            self.clock.advance(9.9)
            self.assertFalse(end.aborted)
            self.clock.advance(0.2)
            self.assert_refused(end, words)

    def test_a_busy_handshake(self) -> None:
        """The deadline counts from the connection; bytes that drip in do not put it off."""
        end = self.arrive()
        for byte in HELLO + bytes(194):
            if end.aborted:
                break
            end.protocol.dataReceived(bytes([byte]))
            self.clock.advance(0.1)
        self.assertTrue(9.9 < self.clock.seconds() < 10.2)
        self.assert_refused(end, "tls_handshake_timeout")

    def test_plain_text_is_reported(self) -> None:
        """A client that speaks plain text on a port with TLS is closed, and the log says what it spoke and asks whether TLS is meant."""
        for sent, words in (
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "speaks HTTP (b'GET / HTTP/1.1\\r\\nHost: x\\r'): is TLS meant?"),
            (b"$GPGGA,123519,48.038,N\r\n", "speaks plain text (b'$GPGGA,123519,48.038,N\\r\\n'): is TLS meant?"),
            (bytes(range(1, 50)), "does not speak TLS (it began with 01 02 03"),
        ):
            self.setUp()
            end = self.arrive()
            end.protocol.dataReceived(sent)
            self.assertTrue(end.disconnecting)
            end.lose()
            self.assertEqual((self.built, len(self.said.texts)), ([], 1))
            self.assertIn(f"not_tls: {words}", self.said.texts[0])

    def test_junk(self) -> None:
        """Whatever comes in place of a handshake, nothing is built and nothing raised: junk, a hello of 16 MB, an old one."""
        for sent in (
            os.urandom(500),
            HELLO + os.urandom(600),
            b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(20_000),
            b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(35),
            b"\x15\x03\x01\x00\x02\x02\x28",
            b"\x16\x03\x01\x00\x00" * 50,
        ):
            self.setUp()
            end = self.arrive()
            for start in range(0, len(sent), 999):
                end.protocol.dataReceived(sent[start : start + 999])
            self.clock.advance(10)
            end.lose()
            self.assertEqual((self.built, len(self.said.texts)), ([], 1), sent[:10])
            self.tearDown()

    def test_old_tls_only(self) -> None:
        """A client with nothing newer than TLS 1.1 is refused, and the log says that this is why."""
        context = client_side()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        end = self.arrive()
        FarEnd(context, end).talk()
        self.assertTrue(end.disconnecting)
        end.lose()
        self.assertIn("offers only TLS versions below our minimum", self.said.texts[0])

    def test_a_client_that_refuses_us(self) -> None:
        """A client that does not trust our certificate is reported with its alert and the name that it asked for, quoted."""
        context = client_side(ca=certificates.ca_file("a stranger"))
        end = self.arrive()
        FarEnd(context, end, name="gw.example").talk()
        end.lose()
        self.assertEqual(self.built, [])
        self.assertIn("tls_refused_by_peer: sent the alert 'unknown ca'", self.said.texts[0])
        self.assertIn("name asked for: 'gw.example'", self.said.texts[0])

    def test_a_client_that_vanishes(self) -> None:
        """A reset in the handshake is reported; a connection that ends without a byte, as a port scan's, is not."""
        end = self.arrive()
        end.protocol.dataReceived(HELLO)
        end.lose(ConnectionLost())
        self.assertIn("was lost during the handshake; the peer began like TLS", self.said.texts[0])
        self.arrive().lose(ConnectionLost())
        self.assertEqual((len(self.said.texts), self.built), (1, []))

    def test_the_oldest_makes_room(self) -> None:
        """When too many wait, the oldest is closed in favour of the newcomer, in each stage, and those who are in are left alone."""
        served = self.arrive()
        FarEnd(client_side(), served).talk()
        silent, begun = self.arrive(), self.arrive()
        begun.protocol.dataReceived(HELLO)
        others = [self.arrive() for _ in range(3)]
        self.assertEqual((served.aborted, silent.aborted, begun.aborted), (False, True, True))
        self.assertIn("evicted: cut for a newer connection: at most 3, 3 from one address", self.said.texts[0])
        newest = self.arrive()
        FarEnd(client_side(), newest).talk()
        self.assertEqual(len(self.built), 2)
        for end in (silent, begun, *others):
            end.lose()
        self.assertEqual(len(self.said.texts), 3)

    def test_a_listener_that_stops(self) -> None:
        """When the port closes, whoever has no session yet is cut in any stage, and sessions go on."""
        served = self.arrive()
        FarEnd(client_side(), served).talk()
        silent, begun = self.arrive(), self.arrive()
        begun.protocol.dataReceived(HELLO)
        self.build = lambda address, security: None  # type: ignore[method-assign]
        self.arrivals.build = self.build
        closing = self.arrive()
        FarEnd(client_side(), closing).talk()
        self.arrivals.stopFactory()
        self.assertEqual([end.aborted for end in (served, silent, begun, closing)], [False, True, True, True])
        self.assertEqual((len(self.admission), self.clock.getDelayedCalls(), self.arrivals.pending), (0, [], set()))
        for end in (silent, begun, closing):
            end.lose()
        self.assertEqual(self.said.texts, [])

    def test_no_application(self) -> None:
        """Where none is built, the connection is closed properly, and cut when the peer does not go."""
        self.build = lambda address, security: None  # type: ignore[method-assign]
        for gone in (True, False):
            self.listen()
            end = self.arrive()
            FarEnd(client_side(), end).talk()
            self.assertEqual(len(self.admission), 0)
            if not gone:
                self.clock.advance(arrival.LINGER)
                self.assertTrue(end.aborted)
            end.lose()
        self.assertEqual(self.said.texts, [])

    def test_a_builder_that_fails(self) -> None:
        """An exception in the builder closes that connection, is logged, and the next one is served."""

        def fail(address: Any, security: Peer) -> None:
            raise ZeroDivisionError

        build, self.build = self.build, fail  # type: ignore[method-assign,assignment]
        self.listen()
        end = self.arrive()
        FarEnd(client_side(), end).talk()
        end.lose()
        self.assertEqual([failure.type for failure in self.said.failures], [ZeroDivisionError])
        self.build = build  # type: ignore[method-assign]
        self.listen()
        FarEnd(client_side(), self.arrive()).talk()
        self.assertEqual(len(self.built), 1)


class ClientCertificateTests(Case):
    def listen(self, **given: Any) -> Arrivals:
        return super().listen(**{"ca": certificates.ca_file(), "client_certificates": "required", **given})

    def visit(self, certificate: tuple[str, str] | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> End:
        context = client_side(certificate)
        context.maximum_version = version
        end = self.arrive()
        FarEnd(context, end).talk()
        return end

    def test_identity(self) -> None:
        """A client with a certificate of our CA comes in under the name in its subjectAltName."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.visit(certificates.rover(), version)
            self.assertEqual(self.built.pop()[1], Peer(True, "rover7"))

    def test_refusals(self) -> None:
        """No certificate, another CA's, an expired one, one that is not for clients, one that names nobody: none gets an application."""
        folder = self.mktemp()
        os.makedirs(folder)
        uri = URI("spiffe://example/dev/rover7")
        long = authority()
        for _ in range(6):
            long = issue(long, common_name=f"above {id(long)}", ca=True)
        for name, issued, words in (
            ("none", None, "client_certificate_missing: sent no client certificate"),
            ("stranger", issue(authority("a stranger"), uri), "certificate_untrusted"),
            ("expired", issue(authority(), uri, since=-3 * DAY, until=-DAY), "certificate_expired: its certificate expired on"),
            ("early", issue(authority(), uri, since=DAY), "certificate_not_yet_valid"),
            ("server", issue(authority(), uri, purposes=(SERVER,)), "certificate_refused: its certificate is not meant for this end"),
            ("long", issue(long, uri, purposes=(CLIENT,)), "certificate_refused"),
            ("nobody", issue(authority(), common_name="rover7"), "identity_refused"),
            ("two", issue(authority(), DNS("a.example"), DNS("b.example")), "identity_refused"),
        ):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                self.said.texts.clear()
                end = self.visit(issued.write(folder, name) if issued else None, version)
                self.assert_refused(end, words)

    def test_optional(self) -> None:
        """Where certificates are optional one may come without, as nobody; a wrong one is refused all the same."""
        self.listen(client_certificates="optional")
        self.visit(None)
        self.visit(certificates.rover())
        self.assertEqual([security.identity for _, security in self.built], ["", "rover7"])
        self.built.clear()
        folder = self.mktemp()
        os.makedirs(folder)
        self.assert_refused(self.visit(issue(authority("a stranger")).write(folder, "x")), "certificate_untrusted")

    def test_openssl_is_not_trusted_alone(self) -> None:
        """A connection for which OpenSSL has dropped the policy is refused by the look at the certificate after the handshake."""
        self.patch(arrival, "server_context", lambda options, alpn: _lenient(options))
        self.listen()
        self.assert_refused(self.visit(None), "client_certificate_missing")

    def test_a_fault_in_the_mapping(self) -> None:
        """Any exception while a client is being named is a refusal."""

        def fail(certificate: Any) -> str:
            raise RuntimeError("a bug")

        self.patch(arrival, "client_identity", fail)
        self.assert_refused(self.visit(certificates.rover()), "identity_refused: its client certificate cannot be read: RuntimeError")


def _lenient(options: TlsOptions) -> SSL.Context:
    context = arrival_server_context(options)
    context.set_verify(SSL.VERIFY_NONE)
    return context


arrival_server_context = arrival.server_context


class FallbackTests(Case):
    def listen(self, **given: Any) -> Arrivals:
        return super().listen(**{"fallback": "any", **given})

    def test_plain(self) -> None:
        """A client that speaks plain text is served in clear, both ways, from its first byte, with nothing in between; it only reads."""
        for step in (1, 100):
            self.setUp()
            end = self.arrive()
            data = b"\x16\x03\x01\x00\x05\x02plain all the same"
            for start in range(0, len(data), step):
                end.protocol.dataReceived(data[start : start + step])
            ((application, security),) = self.built
            self.assertEqual((security.secure, security.identity, security.may_write), (False, "", False))
            self.assertIn("fallback_write = yes", security.why)
            self.assertIs(end.protocol, application)
            self.assertIs(application.transport, end)
            application.transport.write(b"in clear")
            self.assertEqual((application.data, end.value()), (data, b"in clear"))
            self.assertEqual((len(self.admission), self.clock.getDelayedCalls()), (0, []))

    def test_each_is_reported(self) -> None:
        """Each plain session on a port with TLS is a warning that says who, why, and what it may do."""
        self.arrive().protocol.dataReceived(b"$PSTM")
        self.listen(fallback_write=True)
        self.arrive().protocol.dataReceived(b"GET / HTTP/1.0")
        self.assertIn("[lan] 192.0.2.7:5122: plain_on_tls_port: speaks plain text (b'$PSTM')", self.said.texts[0])
        self.assertIn("reads only (fallback = any)", self.said.texts[0])
        self.assertIn("may write", self.said.texts[1])
        self.assertEqual(self.built[1][1], Peer(False))

    def test_tls_on_the_same_port(self) -> None:
        """A client that speaks TLS is secured on the same port, however its ClientHello is cut."""
        for step in (1, 5, 1 << 20):
            far = FarEnd(client_side(), self.arrive())
            far.talk(step)
            self.assertEqual(self.built.pop()[1], Peer(True))
        self.assertEqual(self.said.texts, [])

    def test_never_plain_after_a_hello(self) -> None:
        """What begins like a ClientHello is never served in clear, whatever follows: junk, silence, or a version that is too old."""
        end = self.arrive()
        end.protocol.dataReceived(HELLO + b"in clear, please" * 40)
        self.clock.advance(10)
        self.assertTrue(end.disconnecting or end.aborted)
        end.lose()
        for size in range(1, 7):
            end = self.arrive()
            end.protocol.dataReceived(HELLO[:size])
            self.clock.advance(10)
            self.assertTrue(end.aborted)
            end.lose()
        self.assertEqual((self.built, len(self.said.texts)), ([], 7))
        self.assertIn("began like TLS, then stopped", self.said.texts[1])

    def test_ssl2_is_refused(self) -> None:
        """A hello of SSL 2.0 is neither TLS nor taken for plain text."""
        end = self.arrive()
        end.protocol.dataReceived(b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(35))
        self.assert_refused(end, "speaks SSL 2.0, which is refused")

    def test_silence(self) -> None:
        """A silent client is closed after first_byte_timeout; with silent_is_plain it is served in clear then, and TLS still is before."""
        end = self.arrive()
        self.clock.advance(5)
        self.assert_refused(end, "sent nothing for 5 s (first_byte_timeout; to serve silent clients in plain text: silent_is_plain = yes)")
        self.said.texts.clear()
        self.listen(silent_is_plain=True, first_byte_timeout=0.3)
        end = self.arrive()
        self.clock.advance(0.3)
        application, security = self.built.pop()
        self.assertEqual((security.secure, end.protocol), (False, application))
        self.assertIn("was silent for 0.3 s", self.said.texts[0])
        end = self.arrive()
        self.clock.advance(0.2)
        FarEnd(client_side(), end).talk()
        self.assertTrue(self.built.pop()[1].secure)

    def test_the_deadline_counts_from_the_connection(self) -> None:
        """On such a port too, the handshake must be done within handshake_timeout of the connection."""
        end = self.arrive()
        self.clock.advance(4.9)
        end.protocol.dataReceived(HELLO)
        self.clock.advance(5)
        self.assertFalse(end.aborted)
        self.clock.advance(0.2)
        self.assert_refused(end, "within 10 s (handshake_timeout)")

    def test_no_application(self) -> None:
        """Where none is built for a plain client, it is asked for once, the connection is closed, and cut when the peer does not go."""
        asked: list[Peer] = []
        self.build = lambda address, security: asked.append(security)  # type: ignore[method-assign,func-returns-value]
        self.listen()
        end = self.arrive()
        end.protocol.dataReceived(b"plain")
        self.assertTrue(end.disconnecting)
        end.protocol.dataReceived(b"and more")
        self.assertEqual(len(asked), 1)
        self.clock.advance(arrival.LINGER)
        self.assertTrue(end.aborted)
        end.lose()

    def test_an_application_that_leaves_at_once(self) -> None:
        """What had been read already is not fed to an application that closed as soon as it was connected."""

        class Leaving(Application):
            def connectionMade(self) -> None:
                self.transport.loseConnection()

        application = Leaving()
        self.build = lambda address, security: application  # type: ignore[method-assign]
        self.listen()
        self.arrive().protocol.dataReceived(b"plain")
        self.assertEqual(application.data, b"")


class AllowlistTests(Case):
    def listen(self, **given: Any) -> Arrivals:
        return super().listen(**{"fallback": "allowlist", "fallback_from": "10.0.0.0/8, 2001:db8:1::/48", **given})

    def test_who_is_allowed(self) -> None:
        """Networks of either family hold their addresses, IPv4 addresses mapped into IPv6 too; what is no address is in none."""
        for host, allowed in (
            ("10.1.2.3", True),
            ("::ffff:10.1.2.3", True),
            ("2001:db8:1::7", True),
            ("11.0.0.1", False),
            ("::ffff:11.0.0.1", False),
            ("2001:db8:2::7", False),
            ("fe80::1%eth0", False),
        ):
            address = (IPv6Address if ":" in host else IPv4Address)("TCP", host, 1)
            self.assertIs(self.arrivals.may_be_plain(address), allowed, host)
        self.assertFalse(self.arrivals.may_be_plain(UNIXAddress(None)))

    def test_others_speak_tls(self) -> None:
        """A client from elsewhere that speaks plain text is refused; one of the allowed is served."""
        end = self.arrive()
        end.protocol.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
        self.assertTrue(end.disconnecting)
        end.lose()
        self.assertEqual((self.built, "not_tls" in self.said.texts[0]), ([], True))
        self.arrive(IPv4Address("TCP", "10.0.0.9", 1)).protocol.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(len(self.built), 1)
