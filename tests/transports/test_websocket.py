"""``transport = websocket``: its options, and what it makes of a batch."""

from __future__ import annotations

import json
import subprocess
import sys

from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.transports.websocket import Options, exposures

from ..building import lines, make_runtime
from ..visiting import Setting, make_link


class OptionsTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """The defaults are the safe ones: no other pages, 1 MiB, pings."""
        options = Options(listen="127.0.0.1:8080")
        self.assertEqual((options.path, options.origins, options.tls, options.page), ("/", (), None, True))
        self.assertEqual((options.max_message, options.ping_interval, options.ping_timeout), (1 << 20, 20.0, 20.0))
        self.assertEqual(exposures(options), [])

    def test_values(self) -> None:
        """Values are read as users write them; two spellings of one origin are one, so that a reload sees no change."""
        options = Options(listen="[::1]:80", origins="http://a:80, https://b:8443", subprotocols="x, y", max_message="16MiB", page="no")
        self.assertEqual((options.origins, options.subprotocols), (("http://a", "https://b:8443"), ("x", "y")))
        self.assertEqual((options.max_message, options.page), (16 << 20, False))
        self.assertEqual(Options(listen="h:1", origins="http://a"), Options(listen="h:1", origins="http://A:80"))

    def test_mistakes(self) -> None:
        """What cannot be is told by its key."""
        for key, value in (
            ("path", "gps"),
            ("path", "/a?b"),
            ("path", "/a b"),
            ("origins", "pos.local"),
            ("origins", "http://pos.local/"),
            ("subprotocols", "a b"),
            ("max_message", "17MiB"),
            ("page", "true"),
        ):
            error = self.assertRaises(ValidationError, Options, **{"listen": "h:1", key: value})
            self.assertEqual([entry["loc"] for entry in error.errors()], [(key,)])

    def test_any_origin_is_told(self) -> None:
        """origins = * is marked as unsafe, and so is null, which any page can have."""
        for origin in ("*", "null"):
            [exposure] = exposures(Options(listen="h:1", origins=f"{origin}, http://a"))
            self.assertEqual(exposure.mark, f"origins {origin}")
            self.assertIn(f"origins = {origin}: every page", exposure.text)

    def test_autobahn_only_when_needed(self) -> None:
        """Looking for parts does not import Autobahn, which costs 165 ms and many megabytes."""
        script = (
            "import sys, gateway.registry as r, gateway.transports.tcp; "
            "assert 'websocket' in r.names('transport'); print('autobahn' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "False\n")


class EncoderTests(Setting, SynchronousTestCase):
    def test_json(self) -> None:
        """With json each packet is one text message with its own number."""
        link = make_link(self.runtime, codec="json")
        client = self.client(link).open()
        link.deliver(lines(b"one", b"two"))
        self.assertEqual([first for first, _ in client.frames()], [0x81, 0x81])
        self.assertEqual([json.loads(body)["seq"] for _, body in client.frames()], [1, 2])

    def test_answers(self) -> None:
        """What is for one client alone reaches it as a message, and nobody else."""
        link = make_link(self.runtime, codec="json")
        one, two = self.client(link).open(), self.client(link).open()
        reply = lines(b"done")
        reply.to = one.session.id
        self.runtime.bus.publish(reply)
        self.assertEqual((len(one.frames()), two.frames()), (1, []))


class LifeTests(SynchronousTestCase):
    def test_pulse_only_with_sessions(self) -> None:
        """A link without clients has no timer."""
        runtime = make_runtime()
        make_link(runtime)
        self.assertEqual(runtime.reactor.getDelayedCalls(), [])
