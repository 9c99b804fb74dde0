"""Which pages may open a WebSocket: pure."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.http.head import HttpError
from gateway.http.origins import Visit, check_origin, normalize

MACHINE = ("gw", "gw.local")


def visit(origin: str | None, host: str = "127.0.0.1:8080", secure: bool = False, known: bool = False) -> Visit:
    return Visit(origin, host, secure, known)


class NormalizeTests(SynchronousTestCase):
    def test_default_ports(self) -> None:
        """An origin without a port means its scheme's, and the two spellings are one."""
        self.assertEqual(normalize("http://x"), normalize("http://X:80"))
        self.assertEqual(normalize("https://x:443"), "https://x")
        self.assertEqual(normalize("http://x:8080"), "http://x:8080")
        self.assertEqual(normalize("http://[::1]:80"), "http://[::1]")

    def test_not_origins(self) -> None:
        """A path, a bare name, a wildcard inside, or anything odd is an error that says how to write it."""
        odd = ("http://x:", "http://x:99999", "http://a b", "http://x\n", "http://" + "x" * 400)
        for text in ("x", "http://", "http://x/", "http://*.x", *odd):
            self.assertRaises(ValueError, normalize, text)


class CheckTests(SynchronousTestCase):
    def refused(self, *arguments: object) -> str:
        error = self.assertRaises(HttpError, check_origin, *arguments)
        self.assertEqual(error.status, 403)
        return str(error.text)

    def test_strangers_page(self) -> None:
        """A page from elsewhere is refused, and the text says what to set; a suffix, prefix, port or scheme that differs is elsewhere."""
        self.assertEqual(
            self.refused(visit("http://pos.local"), (), MACHINE), "origin http://pos.local refused; to allow it: origins = http://pos.local"
        )
        for origin in ("http://127.0.0.1.evil.example:8080", "http://127.0.0.1:80801", "http://127.0.0.1", "https://127.0.0.1:8080"):
            self.refused(visit(origin), (), MACHINE)
        self.refused(visit("http://evil-good.example"), ("http://good.example",), MACHINE)

    def test_null(self) -> None:
        """An origin of null is refused, and nobody is advised to allow it: any page can have it, from a sandboxed frame."""
        text = self.refused(visit("null"), (), MACHINE)
        self.assertIn("any page can", text)
        self.assertNotIn("origins = ", text)

    def test_impossible_host(self) -> None:
        """A Host that makes no origin is the client's mistake, and none of ours."""
        for host in ("x:99999", "x" * 400):
            error = self.assertRaises(HttpError, check_origin, visit("http://x", host), (), MACHINE)
            self.assertEqual(error.status, 400)

    def test_listed(self) -> None:
        """A listed origin is let in, in any spelling of its default port."""
        check_origin(visit("http://pos.local:80"), ("http://pos.local",), MACHINE)

    def test_same_origin(self) -> None:
        """The gateway's own page is let in, opened by address, as localhost, or by a name of this machine."""
        for host in ("127.0.0.1:8080", "192.168.1.7:8080", "[::1]:8080", "localhost:8080", "gw:8080", "gw.local:8080"):
            check_origin(visit(f"http://{host}", host), (), MACHINE)
        check_origin(visit("http://127.0.0.1", "127.0.0.1:80"), (), MACHINE)

    def test_rebinding(self) -> None:
        """A stranger's name that is made to point here is not the same origin without TLS; with TLS the certificate tells."""
        rebound = visit("http://evil.example:8080", "evil.example:8080")
        self.assertIn("origins = http://evil.example:8080", self.refused(rebound, (), MACHINE))
        check_origin(rebound, ("http://evil.example:8080",), MACHINE)
        check_origin(visit("https://site.example", "site.example", secure=True), (), MACHINE)
        self.refused(visit("http://127.0.0.1.evil.example", "127.0.0.1.evil.example"), (), MACHINE)

    def test_missing(self) -> None:
        """A client without Origin is let in from this machine, with a certificate, or when all are."""
        self.assertIn("origins = *", self.refused(visit(None), (), MACHINE))
        check_origin(visit(None, known=True), (), MACHINE)
        check_origin(visit(None), ("*",), MACHINE)

    def test_any(self) -> None:
        """With * every page is let in, but null only where it is listed by itself."""
        check_origin(visit("http://anybody.example"), ("*",), MACHINE)
        self.refused(visit("null"), ("*",), MACHINE)
        check_origin(visit("null"), ("null",), MACHINE)

    def test_a_literal_star(self) -> None:
        """An Origin header that says * is no origin."""
        self.refused(visit("*"), ("*",), MACHINE)

    def test_malformed(self) -> None:
        """A header that is no origin is refused and not repeated."""
        self.assertNotIn("evil", self.refused(visit("evil\x85http"), ("*",), MACHINE))
