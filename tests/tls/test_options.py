from __future__ import annotations

from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.tls.options import TlsOptions


class OptionsTests(SynchronousTestCase):
    def test_from_text(self) -> None:
        """A section's values are read as a user writes them, and the defaults are the safe ones."""
        got = TlsOptions.model_validate(
            {
                "fallback": "allowlist",
                "fallback_from": "10.0.0.0/8, fd00::/8",
                "first_byte_timeout": "300ms",
                "fallback_write": "yes",
                "minimum": "1.3",
            }
        )
        self.assertEqual((got.first_byte_timeout, got.fallback_write, len(got.fallback_from)), (0.3, True, 2))
        safe = TlsOptions()
        self.assertEqual((safe.fallback, safe.verify, safe.minimum, safe.handshake_timeout), ("never", "yes", "1.2", 10.0))
        self.assertEqual((safe.fallback_write, safe.silent_is_plain, safe.first_byte_timeout), (False, False, 5.0))

    def test_contradictions(self) -> None:
        """Options that cannot stand together are refused, in words that name both."""
        pair = {"certificate": "a.pem", "private_key": "a.key"}
        for given, words in (
            ({"certificate": "a.pem"}, "certificate and private_key go together"),
            ({"private_key": "a.key"}, "certificate and private_key go together"),
            ({"passphrase": "env:X"}, "passphrase is of no use without private_key"),
            ({**pair, "client_certificates": "required"}, "needs ca"),
            ({"ca": "ca.pem", "client_certificates": "optional"}, "needs certificate and private_key"),
            ({**pair, "ca": "ca.pem", "client_certificates": "required", "fallback": "any"}, "against client_certificates = required"),
            ({"fallback": "allowlist"}, "needs fallback_from"),
            ({"fallback_from": "10.0.0.0/8"}, "fallback = allowlist only"),
            ({"silent_is_plain": "yes"}, "silent_is_plain = yes is of use"),
            ({"fallback_write": "yes"}, "fallback_write = yes is of use"),
            ({"fallback": "any", "first_byte_timeout": "10s"}, "must be shorter than handshake_timeout"),
            ({"server_name": "https://gw.example"}, "is not a host name"),
            ({"handshake_timeout": "0"}, "greater than 0"),
        ):
            error = self.assertRaises(ValidationError, TlsOptions.model_validate, given)
            self.assertIn(words, str(error), given)
