"""TLS with clients that others wrote: openssl and curl."""

from __future__ import annotations

import subprocess
from typing import Any

from twisted.internet.protocol import Protocol

from ... import certificates
from ..test_tls import ListeningTestCase


def output(*command: str, text: str = "") -> str:
    """What a program writes, errors too."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


class OpensslTests(ListeningTestCase):
    def client(self, *options: str) -> str:
        host, port = self.place
        return output("openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", certificates.ca_file(), "-brief", *options, text="")

    async def test_versions(self) -> None:
        """TLS 1.2 and 1.3 are spoken and verify, with a protocol list or without; TLS 1.1 is refused, and the log says why."""
        self.listen()
        for version in ("1_2", "1_3"):
            for extra in ((), ("-alpn", "h2,http/1.1")):
                shown = await self.in_thread(self.client, f"-tls{version}", *extra)
                self.assertIn(f"TLSv{version.replace('_', '.')}", shown)
                self.assertIn("Verification: OK", shown)
        await self.in_thread(self.client, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        self.assertIn("offers only TLS versions below our minimum", self.lines[-1])

    async def test_no_resumption_and_no_renegotiation(self) -> None:
        """A session cannot be taken up again, and a client that wants to renegotiate gets nowhere."""
        self.listen()
        host, port = self.place
        again = await self.in_thread(output, "openssl", "s_client", "-connect", f"{host}:{port}", "-reconnect", "-tls1_2")
        self.assertEqual((again.count("New, TLSv1.2"), again.count("Reused")), (6, 0))
        shown = await self.in_thread(lambda: output("openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_2", text="R\n"))
        self.assertIn("no renegotiation", shown)

    async def test_whose_certificates(self) -> None:
        """A listener that asks for certificates says whose it takes, so that a client can choose among its own."""
        self.listen(ca=certificates.ca_file(), client_certificates="optional")
        host, port = self.place
        shown = await self.in_thread(output, "openssl", "s_client", "-connect", f"{host}:{port}")
        self.assertIn("Acceptable client certificate CA names\nCN = the CA of the tests\n", shown)


class Page(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"HTTP/1.0 200 OK\r\n\r\na page")  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]


class CurlTests(ListeningTestCase):
    def build(self, address: Any, security: Any) -> Any:
        return Page()

    async def test_curl(self) -> None:
        """curl, which always offers HTTP/2 and 1.1, is served; over plain HTTP it is refused, and the log says what it was."""
        self.listen()
        host, port = self.place
        got = await self.in_thread(output, "curl", "-sS", "--cacert", certificates.ca_file(), f"https://{host}:{port}/")
        self.assertEqual(got, "a page")
        await self.in_thread(output, "curl", "-sS", f"http://{host}:{port}/")
        self.assertIn("not_tls: speaks HTTP", self.lines[-1])
        wrong = await self.in_thread(output, "curl", "-sS", f"https://{host}:{port}/")
        self.assertIn("certificate", wrong)
        self.assertIn("tls_refused_by_peer: sent the alert 'unknown ca'", self.lines[-1])
