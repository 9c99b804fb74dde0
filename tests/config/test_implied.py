"""Which transport a section has, and that a mistake there hides no other."""

from __future__ import annotations

from gateway import registry

from ..configuring import ConfigCase
from ..parts_of_others import add_parts

NAMES = registry.names("transport")
UNCLEAR = f"no transport: write device (for serial), listen or connect (for tcp), or transport = {'|'.join(NAMES)}"


class MeantTests(ConfigCase):
    def test_a_near_key(self) -> None:
        """A misspelled device, listen or connect is one error; the rest of the section is checked as if it were right."""
        for key, right in (("devise", "device"), ("Device", "device"), ("DEVICE", "device")):
            self.assertEqual(
                self.mistakes(f"[a]\n{key} = /dev/a\nbaudrate = fast\n[b]\nlisen = 127.0.0.1:70000\nsubscribe = a\n"),
                [
                    f"gw.ini:2: [a] {key}: unknown option (did you mean '{right}'?)",
                    "gw.ini:3: [a] baudrate: 'fast' is not a baud rate (write 9600, or 9600 8N1 with the character format)",
                    "gw.ini:5: [b] lisen: unknown option (did you mean 'listen'?)",
                    "gw.ini:5: [b] listen: '127.0.0.1:70000': the highest port is 65535",
                ],
            )

    def test_another_name(self) -> None:
        """A transport by another usual name, or a misspelled one, gives a suggestion; the section is checked as if that were written."""
        for name, right in (("ws", "websocket"), ("WS", "websocket"), ("websockets", "websocket"), ("web-socket", "websocket")):
            self.assertEqual(
                self.mistakes(f"[a]\ntransport = {name}\nlisten = 127.0.0.1:0\norigin = *\nmax_sessions = many"),
                [
                    f"gw.ini:2: [a] transport: {name!r} is not one of {', '.join(NAMES)} (did you mean {right!r}?)",
                    "gw.ini:4: [a] origin: unknown option (did you mean 'origins'?)",
                    "gw.ini:5: [a] max_sessions: 'many' is not an integer",
                ],
            )

    def test_parts_of_others(self) -> None:
        """A transport of others says itself which keys imply it and how else it is called; that imports none of those it is not."""
        source = "raise AssertionError('imported')\nIMPLIED_BY = ('tape',)\nALSO_CALLED = ('cassette',)\n"
        add_parts(self, {"transport reel": source})
        (error,) = self.mistakes("[a]")
        self.assertIn("no transport: write device (for serial), listen or connect (for tcp), tape (for reel), or transport = reel|", error)
        self.assertRaisesRegex(AssertionError, "imported", self.config, "[a]\ntape = x")
        self.assertRaisesRegex(AssertionError, "imported", self.config, "[a]\ntransport = Cassette")

    def test_another_kind(self) -> None:
        """A codec named as a transport is refused with what to write."""
        (error,) = self.mistakes("[a]\ntransport = json\n")
        self.assertTrue(error.endswith(" (json is a codec: write codec = json)"), error)

    def test_nothing_but_keys_of_others(self) -> None:
        """A section whose keys belong to one transport, or to [tls], is refused with that instead of a general hint."""
        self.assertEqual(
            self.mistakes("[a]\nfile = x.log\n[site]\ncertificate = x.pem\n[b]\nbaudrate = 9600\n"),
            [
                "gw.ini:2: [a] file: belongs to transport = replay",
                "gw.ini:4: [site] certificate: belongs to a [tls NAME] section",
                "gw.ini:6: [b] baudrate: belongs to transport = serial: write device = ...",
            ],
        )

    def test_nothing_to_go_by(self) -> None:
        """Without a transport the keys that every link has are still checked; other keys are left alone."""
        rest = "special = 1\nwhen_absent = wait\nframing = lines\nframing.max = much\nsubscribe = nobody\n"
        told = [
            "[a] when_absent: 'wait' is not one of drop, hold",
            "[a] framing.max: 'much' is not a size (write 512, 64KiB or 1MB)",
            "[a] subscribe: no link publishes 'nobody'",
        ]
        for text, lines, said in (
            ("", (1, 3, 5, 6), f"[a]: {UNCLEAR}"),
            ("transport = carrier\n", (2, 4, 6, 7), f"[a] transport: 'carrier' is not one of {', '.join(NAMES)}"),
            (
                "device = x\nlisten = y\n",
                (1, 5, 7, 8),
                "[a]: device means serial and listen means tcp: move listen to a section of its own, with attach = a",
            ),
        ):
            wanted = [f"gw.ini:{line}: {words}" for line, words in zip(lines, (said, *told), strict=True)]
            self.assertEqual(self.mistakes("[a]\n" + text + rest), wanted)
