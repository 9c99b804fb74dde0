from __future__ import annotations

from gateway import registry

from ..configuring import ConfigCase
from .test_wiring import GPS


class Framings(ConfigCase):
    def framing(self, text: str, name: str = "a") -> tuple[str, bool, str]:
        """The framing in force on a link, whether it is verbatim, and from which link it is inherited."""
        config = self.config(text)
        plan = config.links[name]
        assert plan.framing is not None
        return registry.kind_name(plan.framing), plan.verbatim, config.inherits.get(name, "")

    def test_taken_over(self) -> None:
        """A reader without framing takes that of the one link that it names, options and all, and gets its bytes as received."""
        text = GPS + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps\n"
        self.assertEqual(self.framing(text), ("lines", True, "gps"))
        config = self.config(text)
        self.assertEqual(config.links["a"].framing, config.links["gps"].framing)

    def test_attached(self) -> None:
        """``attach`` names a link too."""
        self.assertEqual(self.framing(GPS + "[a]\nlisten = 127.0.0.1:0\nattach = gps\n"), ("lines", True, "gps"))

    def test_along_a_chain(self) -> None:
        """A framing that was taken over is taken over in turn; rings of links end."""
        chain = GPS + "[b]\nlisten = 127.0.0.1:0\nattach = gps\n[a]\nlisten = 127.0.0.1:0\nsubscribe = b\n"
        self.assertEqual(self.framing(chain), ("lines", True, "b"))
        self.assertEqual(
            self.framing("[a]\nlisten = 127.0.0.1:0\nsubscribe = b\n[b]\nlisten = 127.0.0.1:0\nsubscribe = a\n"), ("raw", True, "")
        )

    def test_codec(self) -> None:
        """A codec that changes payloads takes no framing over: a body in hex is not 12 bytes. It is framed in lines."""
        fixed = "[gps]\ndevice = /dev/gps\nframing = fixed\nframing.size = 12\n"
        for codec in ("json", "hex"):
            self.assertEqual(self.framing(fixed + f"[a]\nlisten = 127.0.0.1:0\nsubscribe = gps\ncodec = {codec}"), ("lines", False, ""))
        self.assertEqual(self.framing(fixed + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps\ncodec = text")[0], "fixed")
        for codec in ("json", "hex", "text"):
            self.assertEqual(self.framing(f"[a]\nlisten = 127.0.0.1:0\ncodec = {codec}"), ("lines", False, ""))

    def test_given(self) -> None:
        """A framing that is given is used: packets are framed anew, unless it is raw."""
        text = GPS + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps\nframing = "
        self.assertEqual(self.framing(text + "slip"), ("slip", False, ""))
        self.assertEqual(self.framing(text + "lines"), ("lines", False, ""))
        self.assertEqual(self.framing(text + "raw"), ("raw", True, ""))
        self.assertEqual(self.framing(text + "raw\ncodec = json"), ("raw", False, ""))

    def test_not_taken_over(self) -> None:
        """From several links, from a wildcard, from a framing without boundaries of its own, and by a device nothing is taken over."""
        more = "[b]\nlisten = 127.0.0.1:0\n"
        for text in (
            GPS + more + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps, b",
            GPS + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps/#",
            GPS.replace("framing = lines", "framing = silence\nframing.interval = 20ms") + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps",
            GPS.replace("framing = lines\nframing.max = 200", "") + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps",
            GPS + "[a]\ndevice = /dev/b\nsubscribe = gps",
        ):
            self.assertEqual(self.framing(text), ("raw", True, ""), text)

    def test_devices(self) -> None:
        """A device without framing is raw, whatever its codec."""
        self.assertEqual(self.framing("[a]\ndevice = /dev/b\ncodec = json"), ("raw", False, ""))

    def test_messages(self) -> None:
        """A peer that speaks in messages has no framing, and none is taken over from it."""
        text = "[web]\ntransport = websocket\nlisten = 127.0.0.1:0\n[a]\nlisten = 127.0.0.1:0\nsubscribe = web"
        self.assertIsNone(self.config(text).links["web"].framing)
        self.assertEqual(self.framing(text), ("raw", True, ""))

    def test_verbatim_only_where_all_bytes_fit(self) -> None:
        """A link that hears others besides, in another framing or through a codec, gets each payload framed anew."""
        reader = GPS + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps\n"
        web = "[web]\ntransport = websocket\nlisten = 127.0.0.1:0\nattach = a\n"
        self.assertEqual(self.framing(reader + web), ("lines", False, "gps"))
        self.assertEqual(self.framing(GPS + "codec = hex\n[a]\nlisten = 127.0.0.1:0\nsubscribe = gps\n"), ("lines", False, "gps"))
        self.assertEqual(self.framing(GPS + "[a]\nlisten = 127.0.0.1:0\nsubscribe = gps, gps/$sent\n"), ("lines", False, "gps"))
