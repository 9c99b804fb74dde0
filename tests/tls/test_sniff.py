from __future__ import annotations

import contextlib
import ssl

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.tls.sniff import SHOWN, Beginning, describe, sniff


def client_hello() -> bytes:
    """What Python's ssl module says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="example.org")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


BEGINNINGS = st.one_of(
    st.binary(max_size=12),
    st.builds(
        lambda cut, junk: b"\x16\x03\x01\x02\x00\x01"[:cut] + junk,
        st.integers(0, 6),
        st.binary(max_size=6),
    ),
)


class SniffTests(SynchronousTestCase):
    def test_a_hello(self) -> None:
        """A real ClientHello is known by its first six bytes; every shorter beginning of it asks for more."""
        hello = client_hello()
        self.assertEqual([sniff(hello[:size]) for size in range(6)], [Beginning.MORE] * 6)
        self.assertEqual([sniff(hello[:6]), sniff(hello)], [Beginning.TLS] * 2)

    def test_plain_beginnings(self) -> None:
        """What cannot be a ClientHello is plain at its first wrong byte."""
        for data in (
            b"GET / HTTP/1.1\r\n",
            b"$GPGGA",
            b"\n",
            b"\x16\x02",
            b"\x16\x03\x05",
            b"\x16\x03\x01\x41",
            b"\x16\x03\x01\x40\x01",
            b"\x16\x03\x01\x00\x00",
            b"\x16\x03\x01\x00\x05\x02",
        ):
            self.assertEqual(
                (sniff(data), sniff(data[:-1]) if data[0] == 0x16 else None), (Beginning.PLAIN, Beginning.MORE if data[0] == 0x16 else None)
            )

    def test_ssl2(self) -> None:
        """A hello in the form of SSL 2.0 is recognised, so that it can be refused, whatever version it offers."""
        for version in (b"\x00\x02", b"\x03\x00", b"\x03\x01"):
            self.assertEqual(sniff(b"\x80\x2e\x01" + version + b"\x00\x15"), Beginning.SSLV2)
        self.assertEqual(sniff(b"\x80\x2e\x01\x07\x07"), Beginning.PLAIN)

    @settings(derandomize=True, max_examples=300, deadline=None)
    @given(BEGINNINGS)
    def test_no_way_back(self, data: bytes) -> None:
        """Six bytes decide; TLS and its beginnings are never taken for plain text or the other way round, however the bytes are cut."""
        verdicts = [sniff(data[:size]) for size in range(len(data) + 1)]
        self.assertTrue(all(verdict is not Beginning.MORE for verdict in verdicts[6:]))
        like_tls = [verdict in (Beginning.MORE, Beginning.TLS) for verdict in verdicts]
        self.assertEqual(like_tls, sorted(like_tls, reverse=True))
        self.assertTrue(Beginning.TLS not in verdicts or set(verdicts[verdicts.index(Beginning.TLS) :]) == {Beginning.TLS})


class DescribeTests(SynchronousTestCase):
    def test_common_mistakes(self) -> None:
        """The text names what somebody speaks who was to speak TLS, and asks whether TLS is meant."""
        for data, words in (
            (b"", "sent nothing"),
            (b"GET /index.html HTTP/1.1", "speaks HTTP (b'GET /index.html HTTP/1.1'): is TLS meant?"),
            (b"SSH-2.0-OpenSSH_9.2", "speaks SSH"),
            (b"$GPGGA,1*00\r\n", "speaks plain text (b'$GPGGA,1*00\\r\\n'): is TLS meant?"),
            (b"\x80\x2e\x01\x00\x02", "SSL 2.0"),
            (b"\x02\xff", "does not speak TLS (it began with 02 ff)"),
            (b"\x16\x03\x01", "began like TLS"),
        ):
            self.assertIn(words, describe(data))

    @settings(derandomize=True, max_examples=200, deadline=None)
    @given(st.binary(max_size=200))
    def test_fit_for_a_log(self, data: bytes) -> None:
        """Whatever a stranger sends, its description is short and has no control characters."""
        text = describe(data)
        self.assertTrue(text.isprintable())
        self.assertLess(len(text), 4 * SHOWN + 100)
