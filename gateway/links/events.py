"""What happens at a link: one call counts it, logs it and publishes it under LINK/$events."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

from ..bus.numbering import Numbering
from ..packet import Batch, Frames
from .runtime import Runtime


class Named(Protocol):
    """A session, as far as an event names it."""

    @property
    def peer(self) -> Any: ...


class Events:
    """``counters`` holds everything that happened, by name. What a peer can cause often is logged by rate: by link and event."""

    def __init__(self, name: str, topic: str, runtime: Runtime, numbers: Numbering) -> None:
        self.name = name
        self.counters: Counter[str] = Counter()
        self._topic = f"{topic}/$events"
        self._runtime = runtime
        self._numbers = numbers
        self._told: dict[str, int] = {}

    def line(self, text: str, peer: str = "") -> str:
        """A log line that names the link and the peer."""
        return f"[{self.name}] {peer}: {text}" if peer else f"[{self.name}] {text}"

    def report(
        self, event: str, text: str, session: Named | None = None, *, peer: str = "", times: int = 1, level: str = "warn", **fields: Any
    ) -> None:
        """Something has happened, ``times`` times.

        It happened to a session, or to a ``peer`` that has none. ``level``: debug, info, warn, error; "" is not logged; "each" is logged
        each time, however often that is; "failure" is for a fault of ours, called where its exception was caught. ``fields`` are for
        whoever hears LINK/$events.
        """
        self.counters[event] += times
        runtime, whom = self._runtime, session.peer.name if session is not None else peer
        if level == "failure":
            runtime.notices.failed(f"{self.name} {event} {text}", self.line(text, whom))
        elif level == "each":
            runtime.log.warn("{text}", text=self.line(text, whom))
        elif level:
            runtime.notices.say(f"{self.name} {event}", self.line(text, whom), level)
        # An event that an event has caused is not published: two links that hear each other's would go on for ever.
        if runtime.bus.heard(self._topic) and not runtime.bus.delivering.endswith("/$events"):
            named = {"peer": whom} if whom else {}
            self._send(text, {"event": event, "link": self.name, **named, "times": times, **fields})

    def tell(self, address: str, event: str, text: str, **fields: Any) -> None:
        """Tell one address alone, if it has a way to hear it.

        Its events are numbered by themselves, so that nobody seems to miss what was for another.
        """
        if not self._runtime.bus.accepts(address, self._topic):
            self.counters["untold_events"] += 1
            return
        if address not in self._told:
            self._runtime.bus.mourn(address, self.gone)
        self._told[address] = seq = self._told.get(address, 0) + 1
        self._send(text, {"event": event, "link": self.name, **fields}, address, seq)

    def gone(self, address: str) -> None:
        """Nobody is at this address any more."""
        self._told.pop(address, None)

    def _send(self, text: str, fields: dict[str, Any], to: str = "", seq: int = 0) -> None:
        words = text.encode()
        frames = Frames(words, 1, (words,), fields=[fields])
        runtime = self._runtime
        seq = seq or self._numbers.take(self._topic, 1)
        runtime.bus.publish(Batch(self._topic, self._numbers.run, seq, runtime.wall(), "", frames, to))
