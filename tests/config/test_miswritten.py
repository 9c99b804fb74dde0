"""Values that are valid but almost certainly mistakes."""

from __future__ import annotations

from ..configuring import ConfigCase

LINK = "[a]\nlisten = 127.0.0.1:0\nframing = enclosed\n"


class MiswrittenTests(ConfigCase):
    def test_paths(self) -> None:
        """A path with quotes, ~ or $NAME is refused before a file of that name is looked for."""
        for value, said in (
            ('"/dev/x"', "the quotes in '\"/dev/x\"' would be part of the value: write it without"),
            ("'/dev/x'", "the quotes in \"'/dev/x'\" would be part of the value: write it without"),
            ("~/x", "'~/x': ~ and $NAME are not expanded here: write the whole path"),
            ("$HOME/x", "'$HOME/x': ~ and $NAME are not expanded here: write the whole path"),
            ("${HOME}/x", "'${HOME}/x': ~ and $NAME are not expanded here: write the whole path"),
            ("/dev/x*", "'/dev/x*': * and ? are not expanded here: write the whole path, as ls -l /dev/serial/by-id/ shows it"),
            ("/dev/x,9600n81", "'/dev/x,9600n81' is not a path: write device = /dev/x and baudrate = 9600"),
        ):
            self.assertEqual(self.mistakes(f"[a]\ndevice = {value}"), [f"gw.ini:2: [a] device: {said}"])
        self.config("[a]\ndevice = ~x\n[b]\ndevice = /dev/it's\n")

    def test_address_of_a_socket(self) -> None:
        """An address in place of the path of a UNIX socket is refused; it would become the name of a file."""
        for key in ("listen", "connect"):
            said = "is an address, not a path: without transport = unix it is a TCP port"
            self.assertEqual(
                self.mistakes(f"[a]\ntransport = unix\n{key} = 127.0.0.1:7000"), [f"gw.ini:3: [a] {key}: '127.0.0.1:7000' {said}"]
            )
        self.config("[a]\ntransport = unix\nlisten = /run/a:1\n[b]\ndevice = /dev/x,y\n")

    def test_bytes(self) -> None:
        """Bytes by number or by name are refused with how to write them; other text is taken as it is."""
        for value, right in (("0x02", "\\x02"), ("0x0D 0x0a", "\\r\\n"), ("STX", "\\x02"), ("CRLF", "\\r\\n")):
            said = f"{value!r} is taken as text: to give the bytes, write {right}"
            self.assertEqual(self.mistakes(LINK + f"framing.start = {value}"), [f"gw.ini:4: [a] framing.start: {said}"])
        for value in ("START", "0x0", "0x02;", "\\x02", "\\x53TX", "stx"):
            self.config(LINK + f"framing.start = {value}")

    def test_comments(self) -> None:
        """A # comment is refused in any value; the rest of the value is checked; the error does not show it, as it may be a secret."""
        said, link = "write ; in place of #", ", or make a symbolic link if the path really holds it"
        end = " (a comment behind a value begins with ;)"
        text = (
            "[dev]\ndevice = /dev/a # the scale\nbaudrate = fast # 9600\nframing = fixed # x\nframing.size = none\n[lan]\n"
            "listen = 127.0.0.1:0\t#x\nattach = dev # both\nsubscribe = dev, # all\ntopic = t # x\ntls = site # x\ncodec = json # y\n"
            "framing = enclosed\nframing.start = \\x02 # STX\n[tls site]\npassphrase = sesame # open\nverify = no # later\n"
        )
        self.assertEqual(
            self.mistakes(text),
            [
                f"gw.ini:2: [dev] device: {said}{link}{end}",
                f"gw.ini:3: [dev] baudrate: {said}{end}",
                "gw.ini:3: [dev] baudrate: 'fast' is not a baud rate (write 9600, or 9600 8N1 with the character format)",
                f"gw.ini:4: [dev] framing: {said}{end}",
                "gw.ini:5: [dev] framing.size: 'none' is not an integer",
                f"gw.ini:7: [lan] listen: {said}{end}",
                f"gw.ini:8: [lan] attach: {said}{end}",
                f"gw.ini:9: [lan] subscribe: {said}{end}",
                f"gw.ini:10: [lan] topic: {said}{end}",
                f"gw.ini:11: [lan] tls: {said}{end}",
                f"gw.ini:12: [lan] codec: {said}{end}",
                f"gw.ini:14: [lan] framing.start: {said}, or \\x23 where the byte is meant{end}",
                f"gw.ini:16: [tls site] passphrase: {said}{end}",
                "gw.ini:16: [tls site] passphrase: a secret is not written here: write file:PATH or env:NAME",
                f"gw.ini:17: [tls site] verify: {said}{end}",
            ],
        )

    def test_meant_hashes(self) -> None:
        """A # that is a topic filter, or part of a word, is valid."""
        for filters in ("#", "b, #", "#, b", "b,#", "b, b/#", "b/#, b"):
            self.config(f"[a]\nlisten = 127.0.0.1:0\nsubscribe = {filters}\n[b]\ndevice = /dev/b#1\n")
        self.config(LINK + "framing.start = #A\nframing.end = #B\n")

    def test_quotes(self) -> None:
        """Quotes around any value but bytes are refused, once; no second error follows from them."""
        said = "the quotes in '\"{}\"' would be part of the value: write it without"
        text = '[a]\nlisten = "127.0.0.1:0"\nattach = "b"\ntls = "site"\noutbox.when_full = "drop"\n[b]\ndevice = /dev/b\n[tls site]\n'
        self.assertEqual(
            self.mistakes(text.replace("[tls site]\n", "[tls site]\nminimum = 1\n"))[:4],
            [
                f"gw.ini:{line}: [a] {key}: {said.format(value)}"
                for line, key, value in (
                    (2, "listen", "127.0.0.1:0"),
                    (3, "attach", "b"),
                    (4, "tls", "site"),
                    (5, "outbox.when_full", "drop"),
                )
            ],
        )

    def test_urls(self) -> None:
        """A URL in place of an address gives one error, with the keys to write instead."""
        for place, said in (
            ("listen = ws://127.0.0.1:7300/", "write transport = websocket, listen = 127.0.0.1:7300, path = /"),
            ("listen = http://localhost/live?x", "write transport = websocket, listen = localhost:80, path = /live"),
            (
                "listen = wss://[::1]:7300",
                "write transport = websocket, listen = [::1]:7300, path = / and tls = NAME, of a [tls NAME] section",
            ),
            ("connect = tcp://10.0.0.7:4001", "write connect = 10.0.0.7:4001"),
            ("connect = tls://far", "write connect = far:PORT and tls = NAME, of a [tls NAME] section"),
            ("listen = unix:/run/a.sock", "write transport = unix and listen = /run/a.sock"),
            ("listen = unix:///run/a.sock", "write transport = unix and listen = /run/a.sock"),
            (
                "connect = ws://far:80/",
                "transport = websocket only listens; connect = HOST:PORT is for a TCP or TLS server",
            ),
        ):
            key, _, url = place.split(" ")
            self.assertEqual(self.mistakes(f"[a]\n{place}"), [f"gw.ini:2: [a] {key}: {url!r} is a URL: {said}"])

    def test_hints(self) -> None:
        """A # comment is refused with a hint to ;, a path in place of an address with one to transport = unix."""
        baudrate, listen = self.mistakes("[a]\ndevice = /dev/a\nbaudrate = 9600 # fast\n[b]\nlisten = /run/b\n")
        self.assertTrue(baudrate.startswith("gw.ini:3: [a] baudrate: ") and baudrate.endswith(" (a comment behind a value begins with ;)"))
        self.assertTrue(listen.startswith("gw.ini:5: [b] listen: ") and listen.endswith(" (for a UNIX socket: transport = unix)"))
        (path,) = self.mistakes("[a]\ntransport = websocket\nlisten = 127.0.0.1:0/data\n")
        self.assertTrue(path.endswith(" (a path goes on a line of its own: transport = websocket, path = /data)"), path)
