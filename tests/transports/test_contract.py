"""What every transport promises, whatever it is: it runs over all that the registry knows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from gateway import registry
from gateway.config.plan import LinkPlan, StreamOptions
from gateway.links.link import Link
from gateway.links.runtime import Runtime
from gateway.links.state import State
from gateway.peer import PLAIN, Ended

from ..building import Wire, lines

SAMPLES: dict[str, tuple[dict[str, Any], ...]] = {
    "replay": ({"file": "capture.log", "rate": "10/s"}, {"file": "none.log", "rate": "asap"}),
    "serial": ({"device": "none"}, {"device": "loop://"}, {"device": "none", "open": "while-used"}),
    "tcp": ({"listen": "127.0.0.1:0"}, {"connect": "127.0.0.1:9"}),
    "unix": ({"listen": "gw.sock"}, {"connect": "none.sock"}),
    "websocket": ({"listen": "127.0.0.1:0"},),
}
"""For each transport options as a file has them; paths are relative to the test's folder."""
PATHS = ("file", "device")
KINDS = get_args(Ended.__annotations__["kind"]) or ("eof", "reset", "timeout", "local", "error")


def timers() -> int:
    """How many there are, but for trial's own."""
    return sum("onTimeout" not in str(call) for call in reactor.getDelayedCalls())


def descriptors() -> set[tuple[str, str]]:
    """The open ones, with what they lead to; without the spare one that Twisted keeps for when there are no more (/dev/null)."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one that lists them
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
    return {(number, place) for number, place in found if place != "/dev/null"}


class Socket:
    """What is tuned of a dialed connection."""

    def setsockopt(self, *_: Any) -> None:
        return


class ContractTests(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "capture.log").write_bytes(b"one\ntwo\nthree\n" * 100)
        self.runtime = Runtime(reactor, memory=1 << 20, linger=0.1)
        self.addCleanup(self.runtime.stop)

    def links(self) -> Iterator[Link]:
        """A link for each sample of each transport, wired and not started."""
        for name in registry.names("transport"):
            self.assertIn(name, SAMPLES, f"transport {name}: give it sample options in SAMPLES")
            module = registry.load("transport", name)
            for sample in SAMPLES[name]:
                values = {
                    key: str(self.folder / value) if key in PATHS or (name == "unix" and key in ("listen", "connect")) else value
                    for key, value in sample.items()
                    if "://" not in str(value)
                } | {key: value for key, value in sample.items() if "://" in str(value)}
                if issubclass(module.Options, StreamOptions):
                    values["framing"] = registry.load("framing", "lines").Options()
                values["codec"] = registry.load("codec", getattr(module, "DEFAULT_CODEC", "raw")).Options()
                options = module.Options.model_validate(values)
                link = module.make_link(LinkPlan(name, name, options, getattr(options, "framing", None), False), self.runtime)
                link.rewire(("other",))
                yield link

    async def turns(self) -> None:
        """Let the reactor do what is due."""
        for _ in range(3):
            await deferLater(reactor, 0)

    async def test_starts_and_stops(self) -> None:
        """It starts, and when it has stopped there is no session, no timer and no descriptor left of it."""
        await self.turns()  # the reactor opens what it needs itself
        for link in self.links():
            before, files = timers(), descriptors()
            link.start()
            await self.turns()
            await link.stop()
            await self.turns()
            self.assertEqual(len(link.sessions), 0, link.name)
            self.assertEqual(timers(), before, link.name)
            self.assertEqual(descriptors() - files, set(), link.name)

    async def test_stopped_at_once(self) -> None:
        """A stop in the same turn, while an attempt may be under way, leaves nothing either, and a second one does no harm."""
        for link in self.links():
            before = timers()
            link.start()
            stopped: Deferred[Any] = link.stop()
            await stopped
            await self.turns()
            self.assertEqual((len(link.sessions), timers()), (0, before), link.name)

    async def test_accounts(self) -> None:
        """Every packet that is for it is accounted for: while nobody is there, written, waiting, at each end, and when it has stopped."""
        for link in self.links():
            if getattr(link.options, "framing", None) is None:
                continue
            self.runtime.bus.publish(lines(b"to nobody", topic="other"))
            for kind in KINDS:
                session, wire = link.new_session(PLAIN), Wire()
                wire.socket = Socket()  # type: ignore[attr-defined]
                session.connected(wire)
                for room in (None, 1, None):
                    wire.room = room
                    self.runtime.bus.publish(lines(b"12.5", b"12.6", topic="other"))
                    self.assertEqual((session.writer.unaccounted, link.accounts()["unaccounted"]), (0, 0), link.name)
                session.lost(Ended(kind, "over"))
                self.assertEqual(link.accounts()["unaccounted"], 0, f"{link.name} {kind}")
            await link.stop()
            self.assertEqual((link.accounts()["unaccounted"], link.accounts()["waiting"]), (0, 0), link.name)
            self.assertGreaterEqual(link.accounts()["came"], 6 * len(KINDS), link.name)

    async def test_sessions(self) -> None:
        """A session opens, pauses and goes on, and is gone after each kind of end."""
        for link in self.links():
            if getattr(link.options, "framing", None) is None:
                continue
            for kind in KINDS:
                session, wire = link.new_session(PLAIN), Wire()
                wire.socket = Socket()  # type: ignore[attr-defined]
                session.connected(wire)
                session.pause("test")
                self.assertFalse(wire.reading, link.name)
                session.resume("test")
                self.assertEqual(wire.reading, not session.paused, link.name)
                session.lost(Ended(kind, "over"))
                self.assertEqual((session.state, len(link.sessions)), (State.ENDED, 0), f"{link.name} {kind}")
            await link.stop()

    def test_declares(self) -> None:
        """What it declares fits its options: its places are keys of its own, and so is what it can be shared by."""
        for name in registry.names("transport"):
            module = registry.load("transport", name)
            keys = set(module.Options.model_fields)
            places = getattr(module, "PLACES", {})
            self.assertLessEqual({*places, *getattr(module, "IMPLIED_BY", ())}, keys, name)
            self.assertLessEqual(set(places.values()), {"listens", "connects", "opens", "reads"}, name)
            self.assertIn(getattr(module, "SHARED_BY", "") or next(iter(keys)), keys, name)
