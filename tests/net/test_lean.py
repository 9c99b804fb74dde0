"""What a program without TLS does not import."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

SOURCE = """
import sys
import gateway.service
from gateway.config.load import load
from twisted.internet import reactor
print("OpenSSL" in sys.modules, "twisted.internet.tcp" in sys.modules)
import gateway.tls.handshake
from twisted.internet.interfaces import IReactorTCP
print("OpenSSL" in sys.modules, IReactorTCP.providedBy(reactor))
"""


class LeanTests(SynchronousTestCase):
    def test_no_openssl(self) -> None:
        """The service, the configuration and the reactor come without pyOpenSSL; TLS brings it, and works beside them."""
        done = subprocess.run([sys.executable, "-c", SOURCE], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.stdout, done.stderr), ("False True\nTrue True\n", ""))
