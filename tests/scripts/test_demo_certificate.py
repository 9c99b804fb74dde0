from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from twisted.trial.unittest import SynchronousTestCase

from scripts import demo_certificate

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class DemoCertificateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        demo_certificate.main(self.folder, NOW)

    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / "certificate.pem").read_bytes())

    def test_names(self) -> None:
        """The certificate is for localhost by name and by address, where clients look for it."""
        names = self.certificate().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["localhost"])
        self.assertEqual([str(address) for address in names.get_values_for_type(x509.IPAddress)], ["127.0.0.1", "::1"])

    def test_key(self) -> None:
        """The key is that of the certificate, and only its owner can read it."""
        path = self.folder / "private_key.pem"
        key = load_pem_private_key(path.read_bytes(), None)
        self.assertEqual(key.public_key(), self.certificate().public_key())
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_kept(self) -> None:
        """A certificate that is good for more than a week is kept, so that clients that trust it go on doing so."""
        before = self.certificate()
        demo_certificate.main(self.folder, NOW + demo_certificate.VALID - timedelta(days=8))
        self.assertEqual(self.certificate(), before)

    def test_renewed(self) -> None:
        """A certificate that ends within a week, or has lost its key, is replaced."""
        before = self.certificate()
        later = NOW + demo_certificate.VALID - timedelta(days=6)
        demo_certificate.main(self.folder, later)
        renewed = self.certificate()
        self.assertNotEqual(renewed, before)
        (self.folder / "private_key.pem").unlink()
        demo_certificate.main(self.folder, later)
        self.assertNotEqual(self.certificate(), renewed)
