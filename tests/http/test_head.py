"""The strict request head: pure."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.http.head import MAX_HEAD, MAX_HEADERS, HeadReader, HttpError, Request, error_response, parse_head, response

HEAD = b"GET /gps?x=1 HTTP/1.1\r\nHost: gw.local:8080\r\nUpgrade: WebSocket, other\r\nCookie: a=\xe4\r\n\r\n"


class ReaderTests(SynchronousTestCase):
    @settings(derandomize=True, max_examples=50)
    @given(st.lists(st.integers(1, 40), min_size=1))
    def test_any_split(self, sizes: list[int]) -> None:
        """However the bytes come, the head is the same, and all that follows it is kept for the WebSocket."""
        data, position, reader = HEAD + b"\x81\x80abcd\r\n\r\nmore", 0, HeadReader()
        while True:
            for size in sizes:
                found = reader.feed(data[position : position + size])
                position += size
                if found is not None:
                    head, rest = found
                    self.assertEqual(head, HEAD)
                    self.assertEqual(rest + data[position:], data[len(HEAD) :])
                    return

    def test_too_long(self) -> None:
        """A head beyond 16 KiB is refused at that byte, however it comes, and no more of it is kept."""
        line = b"GET / HTTP/1.1\r\nX: " + b"a" * (MAX_HEAD + 10)
        reader = HeadReader()
        for index in range(MAX_HEAD - 1):
            self.assertIsNone(reader.feed(line[index : index + 1]))
        self.assertEqual(self.assertRaises(HttpError, reader.feed, b"a").status, 431)
        self.assertEqual(self.assertRaises(HttpError, HeadReader().feed, line).status, 431)

    def test_bytes_behind_a_long_segment(self) -> None:
        """A head that arrives in one segment with much behind it loses nothing of that."""
        behind = b"z" * (2 * MAX_HEAD)
        self.assertEqual(HeadReader().feed(HEAD + behind), (HEAD, behind))

    def test_not_quadratic(self) -> None:
        """Each byte is searched once: the search goes on where it stopped."""
        reader = HeadReader()
        for byte in b"GET / HTTP/1.1\r\nX: " + b"\r" * 1000:
            reader.feed(bytes((byte,)))
        self.assertEqual(reader._searched, 19 + 1000 - 3)

    def test_garbage_fails_at_once(self) -> None:
        """What cannot become a request is refused with its first bytes, byte by byte too; a TLS hello is called what it is."""
        for garbage in (b"\x00\x01\x02\x03", b"get / ", b"\r\nGET /", b'{"a":1}', b"\xff" * 100):
            self.assertEqual(self.assertRaises(HttpError, HeadReader().feed, garbage).status, 400, garbage)
        reader = HeadReader()
        self.assertIsNone(reader.feed(b"G"))
        self.assertRaises(HttpError, reader.feed, b"\x01")
        self.assertIn("TLS", self.assertRaises(HttpError, HeadReader().feed, b"\x16\x03\x01\x02\x00").text)


def parse(text: str) -> Request:
    return parse_head(text.replace("\n", "\r\n").encode("latin-1"))


class ParseTests(SynchronousTestCase):
    def refused(self, head: bytes, status: int = 400) -> str:
        error = self.assertRaises(HttpError, parse_head, head)
        self.assertEqual(error.status, status, head)
        self.assertNotIn("\n", error.text)
        return str(error.text)

    def test_request(self) -> None:
        """Method, path without query, version, and headers in lower case; foreign bytes elsewhere do no harm."""
        request = parse_head(HEAD)
        self.assertEqual(request[:3], ("GET", "/gps", "1.1"))
        self.assertEqual(request.headers["host"], "gw.local:8080")
        self.assertTrue(request.wants_websocket)
        self.assertEqual(request.tokens("upgrade"), ["WebSocket", "other"])

    def test_lists_are_joined(self) -> None:
        """A header that may be there several times is one list."""
        request = parse("GET / HTTP/1.1\nHost: h\nConnection: keep-alive\nconnection: Upgrade\n\n")
        self.assertEqual(request.tokens("connection"), ["keep-alive", "Upgrade"])

    def test_line_ends(self) -> None:
        """Bare CR or LF, and what Python takes for line ends, never end a header line."""
        for byte in b"\r\n\x0b\x0c\x1c\x1d\x1e\x00\x7f":
            self.refused(b"GET / HTTP/1.1\r\nHost: h\r\nX: a" + bytes((byte,)) + b"Origin: http://h\r\n\r\n")
        request = parse_head(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x85Origin: http://evil\r\n\r\n")
        self.assertNotIn("origin", request.headers)

    def test_smuggling_forms(self) -> None:
        """Folded lines, blanks before the colon, empty and missing names, and anything twice that counts once are refused."""
        twice = (b"Host: h2", b"Origin: http://a\r\nOrigin: http://b", b"Sec-WebSocket-Key: a\r\nsec-websocket-key: b")
        for lines in (b"X: a\r\n b", b"X : a", b": a", b"nocolon", *twice):
            self.refused(b"GET / HTTP/1.1\r\nHost: h\r\n" + lines + b"\r\n\r\n")

    def test_request_lines(self) -> None:
        """Only GET and HEAD of a path in HTTP/1.0 and 1.1; else the right status."""
        for line, status in (
            (b"POST / HTTP/1.1", 405),
            (b"GET / HTTP/2.0", 505),
            (b"GET  / HTTP/1.1", 400),
            (b"GET /", 400),
            (b"GET http://h/ HTTP/1.1", 400),
            (b"GET /#x HTTP/1.1", 400),
            (b"GET /\xe4 HTTP/1.1", 400),
            (b"G3T / HTTP/1.1", 400),
        ):
            self.refused(line + b"\r\nHost: h\r\n\r\n", status)

    def test_host(self) -> None:
        """HTTP/1.1 needs one Host of sound syntax: it goes into the page's policy."""
        self.refused(b"GET / HTTP/1.1\r\n\r\n")
        for host in (b"", b"a b", b"a/b", b"h:99999999", b"h; script-src *", b"[::1", b"u@h"):
            self.refused(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        for host in ("[::1]:80", "10.0.0.1", "a-b.c_d:1"):
            self.assertEqual(parse(f"GET / HTTP/1.1\nHost: {host}\n\n").headers["host"], host)

    def test_too_many_headers(self) -> None:
        """The headers are counted."""
        self.refused(b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * MAX_HEADERS + b"\r\n", 431)

    @settings(derandomize=True, max_examples=100)
    @given(st.binary(max_size=200))
    def test_garbage(self, garbage: bytes) -> None:
        """Any bytes give a request or a refusal, and nothing else."""
        for head in (garbage + b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: h\r\n" + garbage + b"\r\n\r\n"):
            try:
                parse_head(head)
            except HttpError as error:
                self.assertIn(error.status, (400, 405, 431, 505))


class ResponseTests(SynchronousTestCase):
    def test_response(self) -> None:
        """An answer has its length, ends the connection, forbids guessing and framing, and does not say what program gave it."""
        head, body = response(404, "text/plain", b"gone\n").split(b"\r\n\r\n")
        self.assertEqual(body, b"gone\n")
        lines = head.split(b"\r\n")
        self.assertEqual(lines[0], b"HTTP/1.1 404 Not Found")
        policy = b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'"
        for line in (b"Content-Length: 5", b"Connection: close", b"X-Content-Type-Options: nosniff", policy):
            self.assertIn(line, lines)
        self.assertNotIn(b"server", head.lower())

    def test_head(self) -> None:
        """The answer to HEAD has the length and no body."""
        answer = error_response(HttpError(405, "no", {"Allow": "GET"}), send_body=False)
        self.assertTrue(answer.endswith(b"\r\n\r\n"))
        self.assertIn(b"Content-Length: 3\r\n", answer)
        self.assertIn(b"Allow: GET\r\n", answer)
