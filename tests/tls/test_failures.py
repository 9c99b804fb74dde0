from __future__ import annotations

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import WireError
from gateway.tls.failures import TlsFailed, explain


def openssl(*words: str) -> Failure:
    return Failure(SSL.Error([("SSL routines", "", each) for each in words]))


class FailureTests(SynchronousTestCase):
    def test_what_it_is(self) -> None:
        """It is the peer's mistake and the end of a connection, and reads as one line with the event first."""
        error = TlsFailed("host_mismatch", "its certificate is for others")
        self.assertIsInstance(error, (WireError, ConnectionLost))
        self.assertEqual(str(error), "host_mismatch: its certificate is for others")
        self.assertEqual(Failure(error).getErrorMessage(), str(error))

    def test_alerts_are_the_peers_refusals(self) -> None:
        """An alert of the far end says what it means for us, and which name was asked for."""
        error = explain(openssl("tlsv1 alert unknown ca"), asked="'gw.local'")
        self.assertEqual(error.event, "tls_refused_by_peer")
        self.assertIn("does not trust the CA that signed our certificate (name asked for: 'gw.local')", error.text)
        self.assertIn("'unsupported extension'", explain(openssl("tlsv1 alert unsupported extension")).text)

    def test_our_refusals(self) -> None:
        """OpenSSL's reasons become events and sentences; one that is not known stays in its own words."""
        for words, event, text in (
            ("wrong version number", "not_tls", "speaks HTTP"),
            ("http request", "not_tls", "speaks HTTP"),
            ("unsupported protocol", "tls_handshake_failed", "below our minimum"),
            ("no shared cipher", "tls_handshake_failed", "no cipher"),
            ("peer did not return a certificate", "client_certificate_missing", "client_certificates = required"),
            ("decryption failed or bad record mac", "tls_damaged", "damaged"),
            ("something new", "tls_handshake_failed", "something new"),
        ):
            error = explain(openssl(words), b"GET / HTTP/1.0")
            self.assertEqual((error.event, text in error.text), (event, True), error)

    def test_connections_that_end(self) -> None:
        """A connection that ended by itself tells what the peer had sent until then."""
        self.assertIn("was closed during the handshake; the peer sent nothing", explain(Failure(ConnectionDone())).text)
        self.assertIn("was lost during the handshake; the peer began like TLS", explain(Failure(ConnectionLost()), b"\x16\x03\x01").text)
        self.assertIn("closed the connection", explain(Failure(SSL.SysCallError(-1, "Unexpected EOF"))).text)
        self.assertIn("closed the connection", explain(Failure(SSL.Error([]))).text)

    def test_own_words_stay(self) -> None:
        """What has been explained already stays as it is; what nobody expected is named."""
        error = TlsFailed("host_mismatch", "x")
        self.assertIs(explain(Failure(error)), error)
        self.assertEqual(explain(Failure(ValueError("x"))).text, "ValueError: x")
