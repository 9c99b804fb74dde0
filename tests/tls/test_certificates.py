from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import ConfigError
from gateway.options import Secret
from gateway.tls.certificates import check_pair, has_names, read_certificates, read_key, read_secret, wrong_dates

from .. import certificates
from ..certificates import DNS, EMAIL, IP, authority, issue


class FileCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = self.mktemp()
        os.makedirs(self.folder)

    def write(self, name: str, data: bytes, mode: int = 0o600) -> str:
        path = Path(self.folder, name)
        path.write_bytes(data)
        path.chmod(mode)
        return str(path)

    def refused(self, *call: object) -> str:
        function, *arguments = call
        return str(self.assertRaises(ConfigError, function, *arguments))  # type: ignore[arg-type]


class CertificateFileTests(FileCase):
    def test_a_chain(self) -> None:
        """All certificates of a file are read, in its order."""
        middle = issue(authority(), common_name="between", ca=True)
        leaf = issue(middle, DNS("localhost"))
        path, _ = leaf.write(self.folder, "leaf")
        self.assertEqual(read_certificates(path, "certificate"), [leaf.certificate, middle.certificate])

    def test_what_is_no_certificate(self) -> None:
        """Each wrong file is reported with its option and path, what is wrong with it and what to do."""
        site = issue(authority(), DNS("localhost"))
        _, key = site.write(self.folder, "site")
        for path, words in (
            (self.write("empty", b" \n"), "is empty: copy the certificate there again"),
            (self.write("der", site.certificate.public_bytes(Encoding.DER)), "openssl x509 -inform der"),
            (self.write("text", b"hello"), "holds no certificate in PEM form: such a file begins with -----BEGIN CERTIFICATE-----"),
            (self.write("torn", b"-----BEGIN CERTIFICATE-----\nMIIB"), "copy it there again"),
            (self.write("long", b"x" * ((1 << 20) + 1)), "is longer than 1048576 bytes: is it the right file?"),
            (key, "it holds a private key: name that in private_key, and its certificate here"),
            (self.folder, "is not a regular file: name the file itself"),
            ("/nowhere/site.pem", "No such file or directory: put it there, or correct the path"),
            (f"{key}/site.pem", "Not a directory: put it there, or correct the path"),
        ):
            text = self.refused(read_certificates, path, "ca")
            self.assertTrue(text.startswith(f"ca: {path}"), text)
            self.assertIn(words, text)

    def test_a_file_of_somebody_else(self) -> None:
        """Where the program may not read a file it says who must be permitted."""
        denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        def stat(path: Path) -> None:
            raise denied

        self.patch(Path, "stat", stat)
        said = f"ca: Permission denied: let the user of this program (uid {os.geteuid()}) read it, and enter its folders"
        self.assertEqual(self.refused(read_certificates, "/x.pem", "ca"), said.replace("ca: ", "ca: /x.pem: "))

    def test_a_fifo_is_not_waited_for(self) -> None:
        """A FIFO in the place of a certificate is refused, and not read for ever."""
        path = os.path.join(self.folder, "fifo")
        os.mkfifo(path)
        self.assertIn("is not a regular file", self.refused(read_certificates, path, "certificate"))

    def test_dates(self) -> None:
        """A certificate before or after its time names the time, the clock, and asks whether that is right."""
        certificate = certificates.issue(None, DNS("localhost")).certificate
        now = datetime.now(UTC)
        self.assertEqual(wrong_dates(certificate, "site.pem", now), "")
        for days, words in ((-3, "is not valid before"), (90, "expired on")):
            text = wrong_dates(certificate, "site.pem", now + timedelta(days=days))
            self.assertIn(words, text)
            self.assertIn("clock", text)

    def test_names(self) -> None:
        """Only a DNS name or an address in subjectAltName names a host."""
        named = [
            has_names(issue(None, *names, common_name="localhost").certificate)
            for names in ((), (EMAIL("a@b"),), (DNS("a"),), (IP("::1"),))
        ]
        self.assertEqual(named, [False, False, True, True])


class KeyTests(FileCase):
    def test_pairs(self) -> None:
        """A key must belong to the first certificate of the file; if it belongs to another one, the order is named."""
        ca = authority()
        site, other = issue(ca, DNS("a.example")), issue(ca, DNS("b.example"))
        check_pair([site.certificate, ca.certificate], site.key)
        self.assertIn("does not match", self.refused(check_pair, [site.certificate], other.key))
        self.assertIn("matches certificate 2 of the file", self.refused(check_pair, [ca.certificate, site.certificate], site.key))

    def test_others_must_not_read_it(self) -> None:
        """A key that its group or everybody can read is refused, as OpenSSH does, with the command that repairs it."""
        for mode in (0o640, 0o604, 0o660):
            _, path = issue(authority()).write(self.folder, f"site{mode}", mode=mode)
            self.assertIn(f"chmod 600 {path}", self.refused(read_key, path, None))

    def test_encrypted_keys(self) -> None:
        """An encrypted key opens with the right passphrase only; nothing is asked on the terminal without one."""
        site = issue(authority())
        _, path = site.write(self.folder, "site", passphrase=b"sesame")
        right = Secret("file", self.write("right", b"sesame\n"))
        wrong = Secret("file", self.write("wrong", b"Sesame"))
        self.assertEqual(read_key(path, right).private_numbers(), site.key.private_numbers())  # type: ignore[union-attr]
        text = f"passphrase: it does not decrypt {path}: correct the passphrase that file: or env: names"
        self.assertEqual(self.refused(read_key, path, wrong), text)
        self.assertIn("give passphrase", self.refused(read_key, path, None))

    def test_what_is_no_key(self) -> None:
        """A certificate, or a damaged key, in the place of a key is refused."""
        certificate, _ = issue(authority()).write(self.folder, "site")
        os.chmod(certificate, 0o600)
        self.assertIn("holds no private key in PEM form: it holds a certificate", self.refused(read_key, certificate, None))
        self.assertIn("openssl pkey -inform der", self.refused(read_key, self.write("der", b"\x30\x82"), None))
        self.assertIn("BEGIN PRIVATE KEY", self.refused(read_key, self.write("text", b"hello"), None))
        damaged = self.write("damaged", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        self.assertIn("cannot be read", self.refused(read_key, damaged, None))


class SecretTests(FileCase):
    def test_files_and_variables(self) -> None:
        """A secret comes from a file, without its line end, or from the environment; a missing one is refused without showing its value."""
        self.patch(os, "environ", {"TEST_SECRET": "from the environment"})
        self.assertEqual(read_secret(Secret("file", self.write("secret", b" s \r\n")), "passphrase"), b" s ")
        self.assertEqual(read_secret(Secret("env", "TEST_SECRET"), "passphrase"), b"from the environment")
        self.assertEqual(
            self.refused(read_secret, Secret("env", "TEST_NONE"), "passphrase"),
            "passphrase: the environment has no variable TEST_NONE: set it where the gateway is started",
        )

    def test_open_to_others(self) -> None:
        """A file with a secret that others can read is refused."""
        self.assertIn("can be read by others", self.refused(read_secret, Secret("file", self.write("s", b"x", 0o644)), "passphrase"))
