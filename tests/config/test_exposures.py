from __future__ import annotations

from ..configuring import ConfigCase
from .test_places import links


class Exposures(ConfigCase):
    def marks(self, text: str) -> list[str]:
        return [exposure.mark for exposure in self.config(text).exposures("a")]

    def test_plain_listener(self) -> None:
        """A listener without TLS beyond loopback is marked, with a warning that names the links it can write to."""
        text = links("listen = 0.0.0.0:7000\nattach = b", "device = /dev/a")
        self.assertEqual(self.marks(text), ["no TLS"])
        self.assertEqual(
            self.warnings(text),
            ["gw.ini:1: [a] listens on 0.0.0.0:7000 without TLS: anyone who can connect hears all that it hears, and can write to b"],
        )
        self.assertEqual(self.marks(links("listen = 127.0.0.1:7000")), [])

    def test_socket_mode(self) -> None:
        """A UNIX socket that others may open is marked."""
        self.assertEqual(self.marks(links("transport = unix\nlisten = a\nmode = 0660")), ["mode 0660"])
        self.assertEqual(self.marks(links("transport = unix\nlisten = a")), [])

    def test_any_page(self) -> None:
        """A WebSocket link that every page may use is marked."""
        self.assertEqual(self.marks(links("transport = websocket\nlisten = 127.0.0.1:0\norigins = *")), ["origins *"])
        for origin in ("*", "null"):
            text = links(f"transport = websocket\nlisten = 127.0.0.1:0\norigins = {origin}\nattach = b", "device = /dev/a")
            self.assertEqual(self.marks(text), [f"origins {origin}"])
            [warning] = self.warnings(text)
            self.assertTrue(warning.startswith(f"gw.ini:1: [a] origins = {origin}: every page"), warning)
            self.assertTrue(warning.endswith(", and can write to b"), warning)
