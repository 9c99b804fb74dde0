"""The settings of a serial line, and how they are written (``9600 8N1, flow none``)."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator

from ..options import Written, parse_integer

ByteSize = Literal[5, 6, 7, 8]
Parity = Literal["none", "even", "odd", "mark", "space"]
StopBits = Literal["1", "1.5", "2"]
Flow = Literal["none", "rtscts", "xonxoff", "dsrdtr"]
ModemLine = Literal["keep", "on", "off"]

HIGHEST_BAUDRATE = 12_000_000
"""The rate of the fastest USB bridges (FT232H, FT4232H: 12 MBd)."""

_PARITIES: dict[str, Parity] = {"N": "none", "E": "even", "O": "odd", "M": "mark", "S": "space"}
_BYTE_SIZES: dict[str, ByteSize] = {"5": 5, "6": 6, "7": 7, "8": 8}
_STOP_BITS: dict[str, StopBits] = {"1": "1", "1.5": "1.5", "2": "2"}


class Speed(NamedTuple):
    """A baud rate, and the character format if one was given with it."""

    baudrate: int
    bytesize: ByteSize | None = None
    parity: Parity | None = None
    stopbits: StopBits | None = None

    def __str__(self) -> str:
        if self.bytesize is None or self.parity is None or self.stopbits is None:
            return str(self.baudrate)
        return f"{self.baudrate} {character_format(self.bytesize, self.parity, self.stopbits)}"


def character_format(bytesize: int, parity: str, stopbits: str) -> str:
    """``8N1``: data bits, the initial of the parity, stop bits."""
    return f"{bytesize}{parity[:1].upper()}{stopbits}"


def parse_speed(text: str) -> Speed:
    """Read ``9600``, ``9600 8N1`` or ``250000 7E2``. Raises ValueError, which says what to write."""
    rate, *rest = text.split()
    try:
        baudrate = parse_integer(rate)
    except ValueError:
        raise ValueError(f"{text!r} is not a baud rate (write 9600, or 9600 8N1 with the character format)") from None
    if not 1 <= baudrate <= HIGHEST_BAUDRATE:
        raise ValueError(f"{baudrate} is not a baud rate (1 to {HIGHEST_BAUDRATE})")
    if not rest:
        return Speed(baudrate)
    match = re.fullmatch(r"([5-8])([NEOMS])(1|1\.5|2)", " ".join(rest), re.ASCII | re.IGNORECASE)
    if match is None:
        raise ValueError(f"{' '.join(rest)!r} is not a character format (write 8N1, 7E1, 8O2: data bits, parity N E O M S, stop bits)")
    return Speed(baudrate, _BYTE_SIZES[match[1]], _PARITIES[match[2].upper()], _STOP_BITS[match[3]])


def _speed(value: object) -> object:
    if isinstance(value, int):
        return parse_speed(str(value))
    if isinstance(value, str) and value.strip():
        return parse_speed(value)
    if isinstance(value, str):
        raise ValueError("a baud rate is missing (write 9600 or 9600 8N1)")
    return value


BaudRate = Annotated[Speed, BeforeValidator(_speed), Written("a baud rate, alone or with the character format: 9600, 9600 8N1")]


class PortSettings(NamedTuple):
    """All that is set on a port."""

    baudrate: int = 9600
    bytesize: ByteSize = 8
    parity: Parity = "none"
    stopbits: StopBits = "1"
    flow: Flow = "none"
    rts: ModemLine = "keep"
    dtr: ModemLine = "keep"
    hangup: bool = False
    exclusive: bool = True

    @property
    def character_time(self) -> float:
        """Seconds for one character on the line: a start bit, the data bits, the parity bit if any, the stop bits."""
        return (1 + self.bytesize + (self.parity != "none") + float(self.stopbits)) / self.baudrate

    def __str__(self) -> str:
        text = f"{self.baudrate} {character_format(self.bytesize, self.parity, self.stopbits)}, flow {self.flow}"
        for name, state in (("RTS", self.rts), ("DTR", self.dtr)):
            if state != "keep":
                text += f", {name} {state}"
        return text
