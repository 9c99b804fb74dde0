from __future__ import annotations

from typing import Any

from cryptography import x509
from OpenSSL.SSL import X509VerificationCodes as Codes
from twisted.trial.unittest import SynchronousTestCase

from gateway.tls import verify
from gateway.tls.failures import TlsFailed
from gateway.tls.verify import check, check_host, client_identity, quoted, strict

from ..certificates import DNS, EMAIL, IP, URI, authority, issue, odd_certificates


class Told:
    """What OpenSSL's connection carries for us."""

    refused: TlsFailed | None = None

    def get_app_data(self) -> Told:
        return self


class Shown:
    """A certificate as OpenSSL shows it to a callback."""

    def __init__(self, certificate: Any) -> None:
        self._certificate = certificate

    def to_cryptography(self) -> Any:
        if isinstance(self._certificate, Exception):
            raise self._certificate
        return self._certificate


class HostTests(SynchronousTestCase):
    def test_right_names(self) -> None:
        """DNS names match in any case, by wildcard for one label, IP addresses as addresses."""
        names = DNS("gw.example"), DNS("*.lan.example"), IP("192.0.2.1"), IP("2001:db8::1")
        certificate = issue(authority(), *names).certificate
        for host in ("gw.example", "GW.Example", "a.lan.example", "192.0.2.1", "2001:db8:0::1"):
            check_host(certificate, host)
        for host in ("example", "x.gw.example", "a.b.lan.example", "lan.example", "192.0.2.2", "2001:db8::2"):
            self.assertRaises(TlsFailed, check_host, certificate, host)

    def test_mismatch_names_both(self) -> None:
        """The message names what was asked for and what the certificate offers, which is never raw and never endless."""
        certificate = issue(authority(), *(DNS(f"host{number}.example") for number in range(9)), DNS("x" * 60 + "." + "y" * 60)).certificate
        error = self.assertRaises(TlsFailed, check_host, certificate, "gw.example")
        self.assertEqual(error.event, "host_mismatch")
        self.assertIn("is for 'host0.example', 'host1.example',", error.text)
        self.assertIn("and 5 more, not for 'gw.example'", error.text)

    def test_the_common_name_does_not_count(self) -> None:
        """A certificate without a subjectAltName is for nobody."""
        certificate = issue(authority(), common_name="gw.example").certificate
        self.assertIn("names no host", self.assertRaises(TlsFailed, check_host, certificate, "gw.example").text)


class StrictTests(SynchronousTestCase):
    def test_odd_certificates(self) -> None:
        """Of all kinds of odd certificates that OpenSSL's own chain check lets pass, none is accepted for a host."""
        accept = strict("localhost")
        for kind in (
            "no subjectAltName",
            "an e-mail address only",
            "an IP address as a DNS name",
            "a wildcard for everything",
            "a wildcard for a top-level domain",
            "a URI that cannot be parsed",
            "another host",
            "another address",
        ):
            told = Told()
            answer = accept(told, Shown(odd_certificates()[kind].certificate), Codes.OK, 0, 1)  # type: ignore[arg-type]
            self.assertIs(answer, False, kind)
            self.assertIsInstance(told.refused, TlsFailed, kind)

    def test_an_ip_address_as_a_dns_name_is_no_ip_address(self) -> None:
        """A certificate that gives an IP address as a DNS name is not for that address."""
        told = Told()
        certificate = odd_certificates()["an IP address as a DNS name"].certificate
        self.assertIs(strict("127.0.0.1")(told, Shown(certificate), Codes.OK, 0, 1), False)  # type: ignore[arg-type]

    def test_any_exception_is_a_refusal(self) -> None:
        """Whatever goes wrong inside a check, even what no program should catch, the answer is False and the reason is kept."""
        for error in (ValueError("x"), AttributeError("get_extension"), KeyboardInterrupt(), MemoryError()):
            told = Told()
            shown = Shown(issue(authority(), DNS("localhost")).certificate)
            shown.to_cryptography = lambda error=error: (_ for _ in ()).throw(error)  # type: ignore[method-assign]
            self.assertIs(strict("localhost")(told, shown, Codes.OK, 0, 1), False)  # type: ignore[arg-type]
            self.assertIn(type(error).__name__, str(told.refused))

    def test_right_certificates(self) -> None:
        """A certificate for the host is accepted, those above it are not asked for their names, and without a host none is."""
        right, ca = issue(authority(), DNS("localhost")).certificate, authority().certificate
        other = issue(authority(), DNS("other.example")).certificate
        told = Told()
        for host, certificate, depth in (("localhost", right, 0), ("localhost", ca, 1), (None, other, 0)):
            self.assertIs(strict(host)(told, Shown(certificate), Codes.OK, depth, 1), True)  # type: ignore[arg-type]
        self.assertIsNone(told.refused)

    def test_what_openssl_found(self) -> None:
        """What OpenSSL found wrong is a named event and a sentence with what a person needs: dates and clock, issuer, purpose."""
        certificate = issue(authority(), DNS("localhost")).certificate
        for number, event, words in (
            (Codes.ERR_CERT_HAS_EXPIRED, "certificate_expired", "is the clock right?"),
            (Codes.ERR_CERT_NOT_YET_VALID, "certificate_not_yet_valid", "is the clock right?"),
            (Codes.ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate_untrusted", "signed by itself"),
            (Codes.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "certificate_untrusted", "'CN=the CA of the tests'"),
            (Codes.ERR_INVALID_PURPOSE, "certificate_refused", "extendedKeyUsage"),
            (Codes.ERR_CERT_CHAIN_TOO_LONG, "certificate_refused", "longer chain"),
            (Codes.ERR_CRL_HAS_EXPIRED, "certificate_refused", "crl has expired"),
            (999999, "certificate_refused", "error 999999"),
        ):
            error = self.assertRaises(TlsFailed, check, certificate, number, 0, False, "localhost")
            self.assertEqual((error.event, words in error.text), (event, True), error)
        error = self.assertRaises(TlsFailed, check, certificate, Codes.ERR_CERT_HAS_EXPIRED, 1, False, None)
        self.assertIn("the certificate of its CA 'CN=a test'", error.text)

    def test_not_ok_is_not_ok(self) -> None:
        """Neither a failed check without a reason nor a reason without a failed check is accepted."""
        certificate = issue(authority(), DNS("localhost")).certificate
        self.assertRaises(TlsFailed, check, certificate, Codes.OK, 0, False, "localhost")
        self.assertRaises(TlsFailed, check, certificate, Codes.ERR_CERT_REVOKED, 0, True, "localhost")

    def test_huge_keys(self) -> None:
        """A key so large that checking its signatures is an attack is refused."""
        self.patch(verify, "MAX_RSA_BITS", 1024)
        certificate = issue(authority(), DNS("localhost"), rsa_bits=2048).certificate
        self.assertIn("2048 bits", self.assertRaises(TlsFailed, check, certificate, Codes.OK, 0, True, None).text)


class IdentityTests(SynchronousTestCase):
    def identity(self, *names: x509.GeneralName, common_name: str = "somebody") -> str:
        return client_identity(issue(authority(), *names, common_name=common_name).certificate)

    def test_identities(self) -> None:
        """One URI names a client by its last path segment, whatever else is there; without one the only DNS name does."""
        self.assertEqual(self.identity(URI("spiffe://example/dev/rover7")), "rover7")
        self.assertEqual(self.identity(URI("spiffe://example/dev/rover7"), DNS("a.example"), DNS("b.example")), "rover7")
        self.assertEqual(self.identity(DNS("Rover7.Example"), EMAIL("a@b.example")), "rover7.example")

    def test_nobody(self) -> None:
        """Everything else is nobody: no names, several, none that can be one level of a topic; the common name never counts."""
        for names in (
            (),
            (EMAIL("rover7@example.org"),),
            (IP("192.0.2.1"),),
            (DNS("a.example"), DNS("b.example")),
            (URI("spiffe://example/dev/a"), URI("spiffe://example/dev/b")),
            (URI("spiffe://example"),),
            (URI("spiffe://example/dev/"),),
            (URI("spiffe://example/dev/$control"),),
            (URI("spiffe://example/dev/+"),),
            (URI("spiffe://example/dev/a+b"),),
            (URI("spiffe://[broken/dev/a"),),
            (URI("urn:dev:a"),),
            (DNS("*.example"),),
            (DNS("$sys"),),
        ):
            self.assertRaises((TlsFailed, ValueError), self.identity, *names, common_name="rover7")

    def test_no_second_spelling(self) -> None:
        """Nobody takes another's name by characters that some reader of URIs drops, and no name is strange to a log, a path or a topic."""
        for name in (
            "a?x",
            "a#x",
            "a?",
            "a#",
            "a\n",
            "a\r",
            "\ta",
            "a\t",
            " a",
            "a ",
            "a\0",
            "%61",
            ".",
            "..",
            "-a",
            "_a",
            "a;b",
            "ä",
            "a" * 65,
        ):
            uri = (
                URI._init_without_validation(f"spiffe://example/dev/{name}") if not name.isascii() else URI(f"spiffe://example/dev/{name}")
            )
            error = self.assertRaises(TlsFailed, self.identity, uri)
            self.assertEqual((error.event, "a-z 0-9" in error.text), ("identity_refused", True), name)
        for host in ("a\nb", " a", "a b", "a/b", "-a", "a" * 65):
            self.assertRaises(TlsFailed, self.identity, DNS(host))
        for scheme in ("\nspiffe", " spiffe"):
            self.assertRaises(TlsFailed, self.identity, URI(f"{scheme}://example/dev/a"))
        self.assertRaises(TlsFailed, self.identity, URI("spiffe://exa\nmple/dev/a"))
        self.assertEqual(self.identity(URI("spiffe://example/dev/" + "a" * 64)), "a" * 64)
        self.assertEqual(self.identity(URI("https://example:8443/R_7.b-2")), "R_7.b-2")


class QuotedTests(SynchronousTestCase):
    def test_quoted(self) -> None:
        """Text of a stranger has no control characters in a log, and is not long."""
        self.assertEqual(quoted("a\r\n\x1b[31m"), "'a\\r\\n\\x1b[31m'")
        self.assertLess(len(quoted("\x00" * 100_000)), 300)
        self.assertTrue(quoted("x" * 65).endswith("..."))
