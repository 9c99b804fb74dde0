"""What a configuration says of one link: the options that every link has, and the plan that `config` makes of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from ..bus.outbox import DeviceOutboxOptions, OutboxOptions
from ..framing import FramingOptions
from ..options import Duration, Integer, Names, Options, Part, Rate

__all__ = ["DeviceOutboxOptions", "LinkOptions", "LinkPlan", "OutboxOptions", "StreamOptions"]


class LinkOptions(Options):
    """What every link has, whatever its transport."""

    subscribe: Names = Field(
        (),
        description="what this link hears: topics and filters with + and #, separated by commas; on a device's link it is the only"
        " permission to write to it",
    )
    attach: Names = Field((), description="links to be joined with in both directions: this link hears them, and they hear it")
    topic: str | None = Field(
        None,
        description="the topic that this link publishes under (default: the section's name); {client} stands for the identity in the"
        " client's certificate",
    )
    codec: Annotated[Any, Part("codec")] = Field(
        None, description="how a packet's payload is written for the peer, and read from it: raw, text, json, hex"
    )
    outbox: OutboxOptions = OutboxOptions.model_validate({})
    stall_timeout: Duration = Field(
        30.0, description="a session that takes no byte at all for so long, while something waits for it, is ended; 0 never"
    )
    when_absent: Literal["drop", "hold"] = Field(
        "drop",
        description="while the device or the far end is away: drop (refuse what is written to it, and tell), hold (keep it, within the"
        " outbox)",
    )
    max_sessions: Integer = Field(1000, ge=1, description="sessions at the same time; one more is refused and logged")
    idle_timeout: Duration = Field(0.0, description="a session on which nothing moves in either direction for so long is ended; 0 never")
    on_bad: Literal["drop", "forward", "log"] = Field(
        "drop", description="a packet that the codec cannot read: drop (counted), forward (as it is), log (drop it, and log each)"
    )
    trace: Literal["off", "hex", "hexdump", "text"] = Field("off", description="log each packet with its direction, peer and time")
    trace_rate: Rate | None = Field(None, description="log at most so many traced packets a second (default: all)")


class StreamOptions(LinkOptions):
    """What every link on a byte stream has besides."""

    framing: Annotated[FramingOptions | None, Part("framing")] = Field(
        None,
        description="where a packet starts and ends; without it a reader takes the framing of the one link that it names if that finds"
        " its own boundaries, lines if its codec writes lines, as text, json and hex do, else raw",
    )
    on_tail: Literal["auto", "emit", "drop"] = Field(
        "auto",
        description="what is left without its end when the stream ends: emit it as a packet, drop and count it, or auto (emit at a clean"
        " end of output, drop at an unplug, a reset, the end of a TCP connection)",
    )


class LinkPlan(NamedTuple):
    """One link, checked and resolved: all that its transport needs to know. Equal when nothing changed."""

    name: str
    transport: str
    options: LinkOptions
    hears: tuple[str, ...] = ()
    """Topic filters: its own ``subscribe`` and ``attach``, and those of links that attach to it."""
    framing: FramingOptions | None = None
    """The framing in force on a stream (given, inherited, or raw); None where the peer speaks in messages."""
    verbatim: bool = True
    """Whether packets go out as they were received, delimiters and all, rather than framed anew."""

    @property
    def topic(self) -> str:
        return self.options.topic or self.name
