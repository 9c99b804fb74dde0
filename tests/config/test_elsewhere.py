"""Where a key that its section does not know belongs."""

from __future__ import annotations

from gateway.config.elsewhere import elsewhere

from ..configuring import ConfigCase
from ..parts_of_others import add_parts


class Elsewhere(ConfigCase):
    def test_places(self) -> None:
        """A key of another part or kind of section has a place; a key that no part has, has none."""
        for key, place in (
            ("page", "transport = websocket"),
            ("baudrate", "transport = serial"),
            ("mode", "transport = unix"),
            ("certificate", "a [tls NAME] section"),
            ("memory", "the [gateway] section"),
            ("codec", "the section of a link"),
            ("outbox.bytes", "the section of a link"),
            ("framing.width", "framing = length"),
            ("width", "framing = length, as framing.width"),
        ):
            self.assertEqual(elsewhere(key), f"belongs to {place}")
        for key in ("colour", "baudrate.x", "framing.colour", "outbox.limit", "outbox.", "", "."):
            self.assertEqual(elsewhere(key), "")

    def test_errors(self) -> None:
        """The error for an unknown option names the place, in every kind of section, rather than a similar key."""
        text = "[a]\nlisten = 127.0.0.1:0\npage = yes\nframing = lines\nframing.size = 2\n[tls b]\nbaudrate = 1\n[gateway]\nverify = no\n"
        self.assertEqual(
            self.mistakes(text),
            [
                "gw.ini:3: [a] page: unknown option here: page belongs to transport = websocket",
                "gw.ini:5: [a] framing.size: unknown option here: framing.size belongs to framing = fixed",
                "gw.ini:7: [tls b] baudrate: unknown option here: baudrate belongs to transport = serial",
                "gw.ini:9: [gateway] verify: unknown option here: verify belongs to a [tls NAME] section",
            ],
        )

    def test_below(self) -> None:
        """An unknown key below another one is refused with those that are there."""
        (error,) = self.mistakes("[a]\nlisten = 127.0.0.1:0\noutbox.limit = 1MB")
        self.assertEqual(error, "gw.ini:3: [a] outbox.limit: unknown option: write outbox.bytes, outbox.packets or outbox.when_full")

    def test_what_cannot_be_loaded(self) -> None:
        """A part that lacks a library is passed over."""
        add_parts(self, {"transport odd": "import no_such_library\n"})
        self.assertEqual(elsewhere("page"), "belongs to transport = websocket")
