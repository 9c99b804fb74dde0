from __future__ import annotations

import contextlib
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from gateway.options import Secret
from gateway.tls.contexts import check_files, client_context, server_context, warnings
from gateway.tls.options import TlsOptions

from .. import certificates
from ..certificates import DAY, DNS, authority, ca_file, issue


def options(**given: Any) -> TlsOptions:
    certificate, key = certificates.site()
    return TlsOptions(**{"certificate": certificate, "private_key": key, **given})


def handshake(server: SSL.Context, client: ssl.SSLContext) -> tuple[SSL.Connection, ssl.SSLObject]:
    """Both ends of a finished handshake; raises what either raises."""
    connection = SSL.Connection(server, None)
    connection.set_accept_state()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    peer = client.wrap_bio(incoming, outgoing, server_hostname="localhost")
    for _ in range(6):
        with contextlib.suppress(ssl.SSLWantReadError):
            peer.do_handshake()
        if data := outgoing.read():
            connection.bio_write(data)
        with contextlib.suppress(SSL.WantReadError):
            connection.do_handshake()
        with contextlib.suppress(SSL.WantReadError):
            incoming.write(connection.bio_read(1 << 16))
    return connection, peer


def client(**settings: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file())
    for name, value in settings.items():
        setattr(context, name, value)
    return context


class FilesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = self.mktemp()
        os.makedirs(self.folder)

    def test_good_files(self) -> None:
        """Files that are right give no problem in any role, and no warning."""
        good = options(ca=ca_file())
        self.assertEqual([check_files(good, role) for role in ("server", "client", "both")], [[], [], []])
        self.assertEqual(warnings(good), [])

    def test_a_listener_needs_a_certificate(self) -> None:
        """A section without a certificate will do for a client, and not for a listener."""
        self.assertEqual(check_files(TlsOptions(), "client"), [])
        self.assertIn("a listener needs one", check_files(TlsOptions(), "server")[0])

    def test_every_problem_in_one_go(self) -> None:
        """Each wrong file is reported once, after the option that names it."""
        other = issue(authority())
        certificate = str(Path(self.folder, "site.pem"))
        Path(certificate).write_bytes(b"x")
        _, key = other.write(self.folder, "other")
        problems = check_files(TlsOptions(certificate=certificate, private_key=key, ca="/nowhere/ca.pem"))
        self.assertEqual([problem.partition(":")[0] for problem in problems], ["certificate", "ca"])
        self.assertIn("no certificate", problems[0])
        site, _ = issue(authority(), DNS("localhost")).write(self.folder, "site")
        self.assertIn("does not match", check_files(TlsOptions(certificate=site, private_key=key))[0])

    def test_encrypted_key(self) -> None:
        """An encrypted key without a passphrase, or with a wrong one, is a problem and never a prompt; with the right one it serves."""
        certificate, key = issue(authority(), DNS("localhost")).write(self.folder, "site", passphrase=b"sesame")
        secret = Path(self.folder, "secret")
        secret.touch(0o600)
        secret.write_text("sesame\n")
        self.assertIn("give passphrase", check_files(TlsOptions(certificate=certificate, private_key=key))[0])
        opened = TlsOptions(certificate=certificate, private_key=key, passphrase=Secret("file", str(secret)))
        self.assertEqual(check_files(opened), [])
        handshake(server_context(opened), client())
        secret.write_text("wrong")
        self.assertEqual(check_files(opened), [f"passphrase: it does not decrypt {key}: correct the passphrase that file: or env: names"])

    def test_a_key_that_openssl_refuses(self) -> None:
        """A key that is too short for TLS is reported before anything starts."""
        certificate, key = issue(authority(), DNS("localhost"), rsa_bits=1024).write(self.folder, "short")
        problems = check_files(TlsOptions(certificate=certificate, private_key=key))
        self.assertEqual(len(problems), 1)
        self.assertIn("certificate: OpenSSL refuses", problems[0])

    def test_clock(self) -> None:
        """A certificate that is not valid by our clock is a warning that asks about the clock: a box without one is to start."""
        self.assertIn("is the clock right?", warnings(options(), now=datetime(1970, 1, 1, tzinfo=UTC))[0])
        for since, until, words in ((-2 * DAY, -DAY, "expired on"), (DAY, 2 * DAY, "is not valid before")):
            certificate, key = issue(authority(), DNS("localhost"), since=since, until=until).write(self.folder, "late")
            late = TlsOptions(certificate=certificate, private_key=key)
            self.assertEqual([check_files(late, role) for role in ("server", "client")], [[], []])
            self.assertEqual([words in text for text in warnings(late, "server")], [True])

    def test_warnings(self) -> None:
        """What is unsafe, or will soon fail, is reported; no verification loudly."""
        for given, words in (
            ({"verify": "no"}, "ANYBODY"),
            ({"verify": "ca-only"}, "ca-only"),
            ({"fallback": "any"}, "anybody who connects"),
            ({"fallback": "any", "fallback_write": True}, "may write"),
            ({"fallback": "allowlist", "fallback_from": "10.0.0.0/8"}, "10.0.0.0/8"),
        ):
            self.assertIn(words, " ".join(warnings(options(**given))))
        soon = warnings(options(), now=datetime.now(UTC) + timedelta(days=20))
        self.assertIn("in 9 days: renew it", soon[0])
        ca = authority()
        disorder = issue(ca, DNS("localhost"))._replace(chain=(issue(None, common_name="x").certificate,)).write(self.folder, "disorder")
        self.assertIn("not followed by its issuer", warnings(TlsOptions(certificate=disorder[0], private_key=disorder[1]))[0])

    def test_warnings_by_role(self) -> None:
        """A listener is warned of a certificate that no client will accept, and not of verify, which is for clients."""
        certificate, key = issue(authority(), common_name="localhost").write(self.folder, "nameless")
        nameless = TlsOptions(certificate=certificate, private_key=key, verify="no")
        (text,) = warnings(nameless, "server")
        self.assertIn("no name in subjectAltName", text)
        self.assertIn("ANYBODY", warnings(nameless, "client")[0])
        self.assertEqual((len(warnings(nameless, "client")), len(warnings(nameless, "both"))), (1, 2))


class ContextTests(SynchronousTestCase):
    def test_versions(self) -> None:
        """TLS 1.2 and 1.3 are spoken, nothing older; 1.3 alone where that is the minimum."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            connection, _ = handshake(server_context(options()), client(minimum_version=version, maximum_version=version))
            self.assertEqual(connection.get_protocol_version_name().replace(".", "_"), version.name)
        old = client(maximum_version=ssl.TLSVersion.TLSv1_2)
        self.assertRaises(SSL.Error, handshake, server_context(options(minimum="1.3")), old)
        older = client()
        older.set_ciphers("ALL:@SECLEVEL=0")
        older.minimum_version, older.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        self.assertRaises(SSL.Error, handshake, server_context(options()), older)

    def test_ciphers_of_tls_1_2(self) -> None:
        """With TLS 1.2 there is forward secrecy and authenticated encryption, or nothing."""
        folder = self.mktemp()
        os.makedirs(folder)
        certificate, key = issue(authority(), DNS("localhost"), rsa_bits=2048).write(folder, "rsa")
        server = server_context(TlsOptions(certificate=certificate, private_key=key))
        for ciphers in ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES256-GCM-SHA384"):
            context = client(maximum_version=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(ciphers)
            self.assertRaises(SSL.Error, handshake, server, context)
        context.set_ciphers("ECDHE-RSA-CHACHA20-POLY1305")
        handshake(server, context)

    def test_no_resumption(self) -> None:
        """A session is never resumed: each connection proves who it is anew."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server, context = server_context(options()), client(maximum_version=version)
            connection, peer = handshake(server, context)
            connection.send(b"x")
            connection = SSL.Connection(server, None)
            connection.set_accept_state()
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            again = context.wrap_bio(incoming, outgoing, server_hostname="localhost", session=peer.session)
            self.assertRaises(ssl.SSLWantReadError, again.do_handshake)
            connection.bio_write(outgoing.read())
            self.assertRaises(SSL.WantReadError, connection.do_handshake)
            incoming.write(connection.bio_read(1 << 16))
            with contextlib.suppress(ssl.SSLWantReadError):
                again.do_handshake()
            self.assertFalse(again.session_reused)

    def test_alpn_offered(self) -> None:
        """A client that offers protocols is served, by a server that knows none and by one that knows others or that one."""
        for known, chosen in (((), None), ((b"h2",), None), ((b"http/1.1",), "http/1.1"), ((b"x", b"http/1.1"), "http/1.1")):
            context = client()
            context.set_alpn_protocols(["gateway/1", "http/1.1"])
            _, peer = handshake(server_context(options(), known), context)
            self.assertEqual(peer.selected_alpn_protocol(), chosen)

    def test_verify_modes(self) -> None:
        """Only verify = no checks nothing, and only a listener that asks for certificates asks."""
        modes = [client_context(options(verify=verify), "localhost").get_verify_mode() for verify in ("yes", "ca-only", "no")]
        self.assertEqual(modes, [SSL.VERIFY_PEER, SSL.VERIFY_PEER, SSL.VERIFY_NONE])
        asking = [
            server_context(options(ca=ca_file(), client_certificates=asks)).get_verify_mode() for asks in ("none", "optional", "required")
        ]
        self.assertEqual(asking, [SSL.VERIFY_NONE, SSL.VERIFY_PEER, SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT])
