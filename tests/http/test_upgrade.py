"""The request that opens a WebSocket: pure."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.http.head import HttpError, Request
from gateway.http.upgrade import canonical_request, check_subprotocol

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def request(method: str = "GET", version: str = "1.1", **changed: str | None) -> Request:
    headers = {
        "host": "h:1",
        "upgrade": "websocket",
        "connection": "keep-alive, Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
        "cookie": "secret",
    }
    for name, value in changed.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    return Request(method, "/gps", version, headers)


class CanonicalTests(SynchronousTestCase):
    def refused(self, asked: Request, status: int = 400) -> HttpError:
        error = self.assertRaises(HttpError, canonical_request, asked, ("v1",))
        self.assertEqual(error.status, status)
        return error  # type: ignore[no-any-return]

    def test_only_what_was_checked(self) -> None:
        """Autobahn sees a request of ours: no cookie, no extension, no origin, nothing that was not checked."""
        asked = request(sec_websocket_extensions="permessage-deflate; what=ever", origin="http://x", x="\x85")
        lines = ["Host: h:1", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13"]
        self.assertEqual(canonical_request(asked, ()).decode().split("\r\n"), ["GET /gps HTTP/1.1", *lines, "", ""])

    def test_versions(self) -> None:
        """Another version of the protocol gets 426 with the one that is spoken; a missing one too."""
        for version in ("8", "99", "13, 8", None):
            self.assertEqual(self.refused(request(sec_websocket_version=version), 426).headers["Sec-WebSocket-Version"], "13")

    def test_keys(self) -> None:
        """The key is 16 bytes in base64, in full form."""
        for key in (None, "", "short==", KEY[:-1], KEY + "=", KEY[:-2], "é" * 24, "dGhlIHNhbXBsZSBub25jZ*==", KEY[:23] + "\n"):
            self.refused(request(sec_websocket_key=key))

    def test_http_1_0_and_bodies(self) -> None:
        """No upgrade of HTTP/1.0, of HEAD, without Connection: Upgrade, or with a body."""
        self.refused(request(version="1.0"))
        self.refused(request(method="HEAD"))
        self.refused(request(connection="close"))
        self.refused(request(connection=None))
        self.refused(request(content_length="5"))
        self.refused(request(transfer_encoding="chunked"))

    def test_subprotocols(self) -> None:
        """The first offer that the link knows is chosen, one that it does not know never."""
        self.assertIn(b"Protocol: b\r\n", canonical_request(request(sec_websocket_protocol="a, b, c"), ("c", "b")))
        self.assertNotIn(b"Protocol:", canonical_request(request(sec_websocket_protocol="a"), ("c", "b")))
        self.assertNotIn(b"Protocol:", canonical_request(request(), ("c",)))

    def test_odd_subprotocols(self) -> None:
        """Offers are tokens, all different, and not a hundred thousand."""
        for offer in ("a b", "é", "a, a", "x\x85y", ", ".join(map(str, range(100)))):
            self.refused(request(sec_websocket_protocol=offer))

    def test_configured_subprotocols(self) -> None:
        """A subprotocol in the configuration is a token."""
        self.assertEqual(check_subprotocol("serial.v1"), "serial.v1")
        self.assertRaises(ValueError, check_subprotocol, "a b")
