"""Values that nobody means as they stand."""

from __future__ import annotations

from ..configuring import ConfigCase

LINK = "[a]\nlisten = 127.0.0.1:0\nframing = enclosed\n"


class MiswrittenTests(ConfigCase):
    def test_paths(self) -> None:
        """Quotes are literal, and what a shell would fill in is not filled in: both are told before a file of that name is looked for."""
        for value, said in (
            ('"/dev/x"', "the quotes in '\"/dev/x\"' would be part of the value: write it without"),
            ("'/dev/x'", "the quotes in \"'/dev/x'\" would be part of the value: write it without"),
            ("~/x", "'~/x': ~ and $NAME are not filled in here: write the whole path"),
            ("$HOME/x", "'$HOME/x': ~ and $NAME are not filled in here: write the whole path"),
            ("${HOME}/x", "'${HOME}/x': ~ and $NAME are not filled in here: write the whole path"),
        ):
            self.assertEqual(self.mistakes(f"[a]\ndevice = {value}"), [f"gw.ini:2: [a] device: {said}"])
        self.config("[a]\ndevice = ~x\n[b]\ndevice = /dev/it's\n")

    def test_bytes(self) -> None:
        """Bytes by number or by name are told how bytes are written; other text is itself."""
        for value, right in (("0x02", "\\x02"), ("0x0D 0x0a", "\\r\\n"), ("STX", "\\x02"), ("CRLF", "\\r\\n")):
            said = f"{value!r} would be these characters themselves: bytes are written {right}"
            self.assertEqual(self.mistakes(LINK + f"framing.start = {value}"), [f"gw.ini:4: [a] framing.start: {said}"])
        for value in ("START", "0x0", "0x02;", "\\x02", "\\x53TX", "stx"):
            self.config(LINK + f"framing.start = {value}")

    def test_hints(self) -> None:
        """A refused value with # in it is told of ;, and a path where an address is wanted of transport = unix."""
        baudrate, listen = self.mistakes("[a]\ndevice = /dev/a\nbaudrate = 9600 # fast\n[b]\nlisten = /run/b\n")
        self.assertTrue(baudrate.startswith("gw.ini:3: [a] baudrate: ") and baudrate.endswith(" (a comment behind a value begins with ;)"))
        self.assertTrue(listen.startswith("gw.ini:5: [b] listen: ") and listen.endswith(" (for a UNIX socket: transport = unix)"))
