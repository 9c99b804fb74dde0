from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway import options as o

EXAMPLES = settings(derandomize=True, max_examples=200, database=None)


class ParserTests(SynchronousTestCase):
    def good(self, parse: Callable[[str], Any], *pairs: tuple[str, Any]) -> None:
        for text, expected in pairs:
            self.assertEqual(parse(text), expected, text)

    def bad(self, parse: Callable[[str], Any], *pairs: tuple[str, str]) -> None:
        for text, message in pairs:
            with self.assertRaisesRegex(ValueError, message):
                parse(text)

    def test_durations(self) -> None:
        """A duration has a unit, unless it is 0; the error shows how to write one."""
        self.good(
            o.parse_duration,
            ("300ms", 0.3),
            ("2s", 2.0),
            ("1.5m", 90.0),
            ("1h", 3600.0),
            ("1d", 86400.0),
            ("0", 0.0),
            ("2 s", 2.0),
        )
        self.bad(
            o.parse_duration,
            *((text, "write 300ms, 2s, 5m") for text in ("", "5", "s", "-1s", "1e3s", "\u0663s", "2S", "2s3", "1" * 400 + "s")),
        )

    def test_microseconds(self) -> None:
        """The shortest unit is the microsecond."""
        self.assertAlmostEqual(o.parse_duration("50us"), 50e-6)

    def test_sizes(self) -> None:
        """A size is bytes, in powers of 1000 or of 1024 as it says; a fraction needs a unit."""
        self.good(o.parse_size, ("512", 512), ("64KiB", 65536), ("1MB", 1_000_000), ("1.5KiB", 1536), ("7B", 7), ("1 GiB", 1 << 30))
        self.bad(
            o.parse_size, *((text, "write 512, 64KiB or 1MB") for text in ("", "1.5", "KiB", "-1", "64kb", "1_000", "64 kib", "9" * 400))
        )

    def test_integers(self) -> None:
        """Only ASCII digits and a sign."""
        self.good(o.parse_integer, ("0", 0), ("9600", 9600), ("-3", -3), ("+3", 3))
        self.bad(o.parse_integer, *((text, "is not an integer") for text in ("", "fast", "1_000", "1.0", "0x10", "\u0663", " 1", "1" * 19)))

    def test_yes_no(self) -> None:
        """Only ``yes`` and ``no`` are accepted."""
        self.good(o.parse_yes_no, ("yes", True), ("no", False))
        self.bad(o.parse_yes_no, *((text, "neither yes nor no") for text in ("", "Yes", "true", "1", "on")))

    def test_escapes(self) -> None:
        """Escapes give bytes, other characters are UTF-8, blanks stay; an unknown escape is an error."""
        self.good(
            o.parse_escaped,
            (r"\r\n", b"\r\n"),
            (r"\x02\xfF", b"\x02\xff"),
            (r"a\tb\0", b"a\tb\0"),
            (r"\\n\;", b"\\n;"),
            ("° x", b"\xc2\xb0 x"),
            ("", b""),
        )
        self.bad(
            o.parse_escaped,
            (r"\q", r"unknown escape \\q"),
            ("\\", "unknown escape"),
            (r"\x2", "two hex digits"),
            (r"\xgg", "two hex digits"),
        )

    def test_names(self) -> None:
        """Commas separate, blanks do not matter; nothing is empty or twice."""
        self.good(o.parse_names, ("gps", ("gps",)), (" gps,meter/# , x ", ("gps", "meter/#", "x")), ("", ()), ("  ", ()))
        self.bad(o.parse_names, ("a,", "empty entry"), (",", "empty entry"), ("a,b,a", "names 'a' twice"))

    def test_addresses(self) -> None:
        """An address is HOST:PORT, with IPv6 in brackets; the error shows how to write one."""
        self.good(
            o.parse_address,
            ("127.0.0.1:7000", ("127.0.0.1", 7000)),
            ("[::1]:0", ("::1", 0)),
            ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
            ("gauge.local:65535", ("gauge.local", 65535)),
        )
        self.bad(
            o.parse_address,
            ("::1:7000", r"IPv6 address goes in brackets: \[::1\]:7000"),
            ("7000", "write HOST:PORT"),
            ("host", "write HOST:PORT"),
            ("host:", "write HOST:PORT"),
            (":7000", "write HOST:PORT"),
            ("ho st:1", "write HOST:PORT"),
            ("host:70000", "the highest port is 65535"),
            ("256.0.0.1:1", "256.0.0.1:1"),
            ("127.1:1", "127.1:1"),
            ("[::g]:1", "::g"),
            ("[1::2::3]:1", "1::2::3"),
        )
        for text in ("127.0.0.1:7000", "[::1]:7000"):
            self.assertEqual(str(o.parse_address(text)), text)

    def test_counts(self) -> None:
        """One thing is counted in the singular."""
        self.assertEqual([o.write_count(count, "link") for count in (0, 1, 2)], ["0 links", "1 link", "2 links"])

    def test_half_addresses(self) -> None:
        """A port alone is refused with hosts to choose from; a hint to brackets is given for IPv6 addresses only."""
        alone = "write HOST:PORT: 127.0.0.1:7000 is this machine, 0.0.0.0:7000 all its addresses"
        self.bad(
            o.parse_address, ("7000", alone), (":7000", alone), *((text, "in brackets") for text in ("::1", "::1:7000", "fe80::1%eth0"))
        )
        self.bad(o.parse_address, *((text, "write HOST:PORT, as") for text in ("tcp:10.0.0.7:4001", "x:y:z")))

    def test_networks(self) -> None:
        """Networks and single addresses of both families are accepted; host bits are an error."""
        found = o.parse_networks("10.0.0.0/8, 192.168.1.7, fd00::/8")
        self.assertEqual(found, tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "192.168.1.7/32", "fd00::/8"))))
        self.bad(
            o.parse_networks,
            ("10.0.0.1/8", "host bits set: write 10.0.0.0/8 for the network, 10.0.0.1 for one"),
            ("lan", "write 10.0.0.0/8"),
        )

    def test_secrets(self) -> None:
        """A secret is a reference; what looks like the secret itself is not repeated in the error."""
        self.good(o.parse_secret, ("file:/etc/key", ("file", "/etc/key")), ("env:PASS", ("env", "PASS")), ("file:a:b", ("file", "a:b")))
        for text in ("hunter2", "file:", "pass:x", ""):
            with self.assertRaises(ValueError) as caught:
                o.parse_secret(text)
            self.assertEqual(str(caught.exception), "a secret is not written here: write file:PATH or env:NAME")

    def test_rates_and_modes(self) -> None:
        """A rate is a number a second; a mode is octal digits."""
        self.good(o.parse_rate, ("10/s", 10.0), ("0.5/s", 0.5))
        self.bad(o.parse_rate, *((text, "write 10/s") for text in ("10", "0/s", "-1/s", "10/m", "/s")))
        self.good(o.parse_mode, ("0600", 0o600), ("660", 0o660))
        self.bad(o.parse_mode, *((text, "write 0600") for text in ("rw", "0800", "06000", "")))


class WriterTests(SynchronousTestCase):
    """What is written into the reference can be read again."""

    @EXAMPLES
    @given(st.binary(max_size=20))
    def test_escaped(self, data: bytes) -> None:
        """Any bytes, as printable ASCII without what the file or a list would take for its own."""
        text = o.write_escaped(data)
        self.assertEqual(o.parse_escaped(text), data)
        self.assertTrue(text.isascii() and text.isprintable())
        self.assertFalse(set(text) & set("\"', "))

    @EXAMPLES
    @given(st.integers(0, 1 << 40))
    def test_size(self, size: int) -> None:
        """Sizes, in the largest unit that has no fraction."""
        self.assertEqual(o.parse_size(o.write_size(size)), size)

    @EXAMPLES
    @given(st.integers(0, 10**9))
    def test_duration(self, milliseconds: int) -> None:
        """Durations, to the microsecond."""
        self.assertAlmostEqual(o.parse_duration(o.write_duration(milliseconds / 1000)), milliseconds / 1000, places=6)

    def test_spelling(self) -> None:
        """As a user would write them."""
        self.assertEqual(
            [o.write_duration(each) for each in (0, 0.03, 20.0, 90.0, 300.0, 86400.0)], ["0", "30ms", "20s", "90s", "5m", "1d"]
        )
        self.assertEqual([o.write_size(each) for each in (0, 512, 1000, 65536, 1 << 30)], ["0", "512", "1000", "64KiB", "1GiB"])
        self.assertEqual([o.write_yes_no(True), o.write_yes_no(False)], ["yes", "no"])
        self.assertEqual(o.write_names(("a", "b/#")), "a, b/#")


class Sample(o.Options):
    delay: o.Duration = 1.0
    limit: o.Size = 10
    names: o.Names = ()


class OptionsTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Text is read as in the INI file; values of Python are taken as they are."""
        self.assertEqual(Sample.model_validate({"delay": "300ms", "names": "a, b"}), Sample(delay=0.3, names=("a", "b")))

    def test_equal(self) -> None:
        """Equal when nothing changed, and fit for a set: so a reload can leave a link alone."""
        self.assertEqual(len({Sample(), Sample(delay=1.0), Sample(limit=10)}), 1)
        self.assertNotEqual(Sample(), Sample(limit=11))

    def test_frozen_and_closed(self) -> None:
        """An unknown option is an error, and nothing changes what was checked."""
        with self.assertRaises(ValidationError):
            Sample.model_validate({"dealy": "1s"})
        with self.assertRaises(ValidationError):
            Sample().limit = 11

    def test_paths(self) -> None:
        """A path and a secret's file are made absolute by the context, and stay as they are without one."""

        class Paths(o.Options):
            file: o.FilePath
            key: o.SecretRef

        values = {"file": "a.log", "key": "file:site.key"}
        self.assertEqual(Paths.model_validate(values).file, "a.log")
        found = Paths.model_validate(values, context={"absolute": lambda path: f"/etc/{path}"})
        self.assertEqual((found.file, found.key), ("/etc/a.log", o.Secret("file", "/etc/site.key")))
        found = Paths.model_validate({"file": "a", "key": "env:PASS"}, context={"absolute": lambda path: f"/etc/{path}"})
        self.assertEqual(found.key, o.Secret("env", "PASS"))
