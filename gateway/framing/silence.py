"""Packets with silence between them: for devices whose delimiter is unknown, or that have none, such as Modbus RTU."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from .. import framing
from ..options import Duration, parse_size
from ..packet import EMPTY, Frames
from . import FramingOptions, Oversize
from ._assembly import Assembly

SELF_DELIMITING = False

SHORTEST = 0.010
"""Below this interval, in seconds, USB adapters merge packets: they hold bytes back for 1 to 16 ms."""


def _check_interval(value: object) -> object:
    """Check, in this order, that it is given (0 and NaN count as missing), is a number, and is greater than 0."""
    text = value.strip() if isinstance(value, str) else value
    if text in ("", "nan", "NaN", None) or (isinstance(text, int | float) and (text == 0 or math.isnan(text))):
        raise ValueError('"interval" is required')
    if isinstance(text, str):
        if re.fullmatch(r"-\s*[0-9.]+\s*[a-z]*", text):
            raise ValueError('"interval" is not greater than 0')
        if not re.match(r"[0-9]", text):
            raise ValueError('"interval" is not a number (write a duration, as 30ms)')
    return value


class Options(FramingOptions):
    """A packet ends when nothing has come for ``interval``, or at once when it is ``max`` long. No packet is empty.

    Nothing is written between packets.
    """

    interval: Annotated[Duration, BeforeValidator(_check_interval)] = Field(
        description="the silence that ends a packet: the time of a few characters (at 9600 baud one takes 1 ms); with a USB adapter"
        " 20ms or more"
    )
    on_oversize: Oversize = Field(
        "emit",
        description="a packet as long as max: emit (it ends there, nothing lost); longer: drop (skip to the next silence and count it),"
        " close (end the session; a serial port resyncs)",
    )

    @field_validator("max", mode="before")
    @classmethod
    def _check_max(cls, value: object) -> object:
        if isinstance(value, str):
            if not re.match(r"-?\s*[0-9]", value):
                raise ValueError('"max" is not a number (write a size, as 64KiB)')
            value = 0 if value.startswith("-") else parse_size(value)
        if isinstance(value, int) and value <= 0:
            raise ValueError('"max" is not greater than 0')
        return value

    @field_validator("interval")
    @classmethod
    def _check_positive(cls, interval: float) -> float:
        if interval == 0:
            raise ValueError('"interval" is required')
        if interval < 0:
            raise ValueError('"interval" is not greater than 0')
        return interval


def warnings(options: Options) -> list[str]:
    """One sentence for each value that is allowed but unlikely to work."""
    if options.interval < SHORTEST:
        text = f"interval = {options.interval * 1000:g}ms: USB adapters hold bytes back for up to 16 ms and so merge packets"
        return [f"{text}; take {SHORTEST * 1000:g}ms or more unless the port is a real UART"]
    return []


class Framer(framing.Framer):
    """Ends a packet when its owner calls `expire` at the deadline."""

    def __init__(self, options: Options) -> None:
        self._interval = options.interval
        self._max = options.max
        self._emits = options.on_oversize == "emit"
        self._assembly = Assembly(options, "the next silence")

    @property
    def held(self) -> int:
        return self._assembly.held

    def feed(self, data: bytes, now: float) -> Frames:
        assembly, position = self._assembly, 0
        if self.deadline is not None and now >= self.deadline:
            self._end()
        while position < len(data):
            size = self._max - assembly.held if self._emits else len(data)
            assembly.add(data[position : position + size])
            position += size
            if self._emits and assembly.held == self._max:
                assembly.end()
        if data:
            self.deadline = now + self._interval if assembly.held or assembly.skipping else None
        return assembly.take()

    def expire(self, now: float) -> Frames:
        if self.deadline is None or now < self.deadline:
            return EMPTY
        self._end()
        return self._assembly.take()

    def finish(self, clean: bool) -> Frames:
        self.deadline = None
        return self._assembly.finish(emit=clean)

    def encode(self, payloads: Sequence[bytes]) -> bytes:
        """The payloads, joined, of any length: a reader with this framing finds one packet in what is written at once."""
        return b"".join(payloads)

    def _end(self) -> None:
        self._assembly.end()
        self.deadline = None
