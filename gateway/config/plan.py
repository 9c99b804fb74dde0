"""The options that every link has, and the plan of one link that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from .. import registry
from ..bus.outbox import DeviceOutboxOptions, OutboxOptions
from ..framing import FramingOptions
from ..options import Duration, Integer, Names, Options, Part, Rate

__all__ = ["DeviceOutboxOptions", "LinkOptions", "LinkPlan", "OutboxOptions", "StreamOptions"]


CODEC = "raw"
"""The codec of a link that names none, if its transport has no other default."""
FRAMING = "raw"
"""The framing of a link that names none and inherits none."""
FRAMING_OF_LINES = "lines"
"""The same, if its codec writes lines."""


class LinkOptions(Options):
    """What every link has, whatever its transport."""

    subscribe: Names = Field(
        (),
        description="what this link hears: topics, and filters with + and #, separated by commas; only what a device's link hears is"
        " written to the device",
    )
    attach: Names = Field((), description="links to join in both directions: this link hears them, and they hear it")
    topic: str | None = Field(
        None,
        description="the topic that this link publishes under (default: the section's name); {client} stands for the identity in the"
        " client's certificate",
    )
    codec: Annotated[Any, Part("codec")] = Field(
        None, description="how a payload is encoded for the peer, and decoded from what it sends: raw, text, json, hex"
    )
    outbox: OutboxOptions = OutboxOptions.model_validate({})
    stall_timeout: Duration = Field(
        30.0, description="a session that takes no byte for so long, while data waits for it, is ended; 0 never"
    )
    when_absent: Literal["drop", "hold"] = Field(
        "drop",
        description="while the device or the far end is away: drop (refuse what is written to it, and report it), hold (keep it, within the"
        " outbox)",
    )
    max_sessions: Integer = Field(1000, ge=1, description="the most sessions at the same time; further ones are refused and logged")
    idle_timeout: Duration = Field(0.0, description="a session without data in either direction for so long is ended; 0 never")
    on_bad: Literal["drop", "forward", "log"] = Field(
        "drop", description="a packet that the codec cannot decode: drop (and count it), forward (as it is), log (drop it, and log each)"
    )
    trace: Literal["off", "hex", "hexdump", "text"] = Field("off", description="log each packet, with direction, peer and time")
    trace_rate: Rate | None = Field(None, description="trace at most so many packets a second (default: all)")


class StreamOptions(LinkOptions):
    """What every link on a byte stream has in addition."""

    framing: Annotated[FramingOptions | None, Part("framing")] = Field(
        None,
        description="how packets are delimited; without it a reader takes the framing of the one link that it names if that finds packets"
        " in the bytes alone, lines if its codec writes lines (text, json, hex), else raw",
    )
    on_tail: Literal["auto", "emit", "drop"] = Field(
        "auto",
        description="an unfinished packet when the stream ends: emit it, drop it (and count it), or auto (emit at a clean end of output,"
        " drop at an unplug, a reset, the end of a TCP connection)",
    )


def find_place(places: Mapping[str, str], does: str, value_of: Callable[[str], Any]) -> tuple[str, Any]:
    """The key and value of the place with which a link ``does`` this (see `gateway.transports`); ("", None) if it has none."""
    for key, what in places.items():
        if what == does and (value := value_of(key)) is not None:
            return key, value
    return "", None


class LinkPlan(NamedTuple):
    """What one link is, checked and resolved: all that its transport needs to know. Two plans are equal when nothing changed.

    Whom it hears stands beside it (`Config.wiring`): that can change while the link runs, and changes with other links.
    """

    name: str
    transport: str
    options: LinkOptions
    framing: FramingOptions | None = None
    """The framing in force on a stream (given, inherited, or a default); None where the peer sends messages."""
    verbatim: bool = True
    """Whether packets are sent as received, with their delimiters, instead of being framed again."""

    def place(self, does: str) -> tuple[str, Any]:
        """The key and value of the place that it ``"listens"`` on, ``"connects"`` to, ``"opens"`` or ``"reads"``; ("", None) if none."""
        return find_place(registry.trait(self.options, "PLACES", {}), does, lambda key: getattr(self.options, key, None))

    @property
    def topic(self) -> str:
        return self.options.topic or self.name
