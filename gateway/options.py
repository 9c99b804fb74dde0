"""The types of values in the INI file, and the class that the options of every part derive from.

Each type has a ``parse_`` function for the text in the file (``64KiB``, ``300ms``, ``\\r\\n``), which raises ValueError with a text for the
operator, and a ``write_`` function for the way back. Pydantic calls the former for text; Python code gives other values, which are
taken as they are.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo


class Options(BaseModel):
    """The options of one part: typed, each with a ``description``, frozen and hashable. Two are equal when nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False, arbitrary_types_allowed=True)


class Part(NamedTuple):
    """Marks a field whose value names a part of this kind; the part's own options are the dotted keys below it.

    ``framing = lines`` with ``framing.max = 1KiB`` becomes ``framing.lines.Options(max=1024)``.
    """

    kind: str


class Written(NamedTuple):
    """Marks a type with how its values are written in the INI file.

    ``words`` describes the text, for the reference; ``text`` makes it from a value, so that the type's parser gives the value back.
    """

    words: str
    text: Callable[[Any], str] = str


def _from_text(parse: Callable[[str], Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?(?![0-9])", re.ASCII)
_DURATIONS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"": 1, "B": 1, "kB": 1000, "KiB": 1 << 10, "MB": 10**6, "MiB": 1 << 20, "GB": 10**9, "GiB": 1 << 30}


def parse_duration(text: str) -> float:
    """Seconds, from ``300ms``, ``2s``, ``5m``; ``0`` needs no unit."""
    number = _NUMBER.match(text)
    unit = text[number.end() :].strip() if number else ""
    if number and number.group() == text and float(text) == 0:
        return 0.0
    if not number or unit not in _DURATIONS:
        raise ValueError(f"{text!r} is not a duration (write 300ms, 2s, 5m, 1h or 1d)")
    return float(number.group()) * _DURATIONS[unit]


def parse_size(text: str) -> int:
    """Bytes, from ``64KiB``, ``1MB``, ``512``."""
    number = _NUMBER.match(text)
    unit = text[number.end() :].strip() if number else ""
    if not number or unit not in _SIZES or ("." in number.group() and not unit):
        raise ValueError(f"{text!r} is not a size (write 512, 64KiB or 1MB)")
    return round(float(number.group()) * _SIZES[unit])


def parse_integer(text: str) -> int:
    """An integer in ASCII digits; Python's own ``int()`` would take ``1_000`` and Arabic digits too."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII):
        raise ValueError(f"{text!r} is not an integer")
    return int(text)


def parse_yes_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text == "yes"


_ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", ";": b";", "\\": b"\\"}


def parse_escaped(text: str) -> bytes:
    """Bytes from text with ``\\r \\n \\t \\0 \\xNN \\; \\\\``; other characters are UTF-8."""
    out, index = bytearray(), 0
    while index < len(text):
        char = text[index]
        if char != "\\":
            out += char.encode()
            index += 1
            continue
        kind = text[index + 1 : index + 2]
        if kind == "x":
            digits = text[index + 2 : index + 4]
            if not re.fullmatch(r"[0-9A-Fa-f]{2}", digits):
                raise ValueError(f"{text!r}: \\x needs two hex digits")
            out.append(int(digits, 16))
            index += 4
        elif kind in _ESCAPES:
            out += _ESCAPES[kind]
            index += 2
        else:
            raise ValueError(f"{text!r}: unknown escape \\{kind} (known: \\r \\n \\t \\0 \\xNN \\; \\\\)")
    return bytes(out)


def parse_names(text: str) -> tuple[str, ...]:
    """Names from a comma-separated list."""
    names = tuple(part.strip() for part in text.split(",")) if text.strip() else ()
    if "" in names:
        raise ValueError(f"{text!r} has an empty entry: remove a comma")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"{text!r} names {twice!r} twice")
    return names


class Address(NamedTuple):
    """Host and port; an IPv6 host is without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """An address, from ``HOST:PORT``; an IPv6 host stands in brackets."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:\[\]/]+)):([0-9]{1,5})", text, re.ASCII)
    if match is None:
        hint = "write HOST:PORT, as 127.0.0.1:7000 or [::1]:7000"
        if port_alone := re.fullmatch(r":?([0-9]{1,5})", text, re.ASCII):
            hint = f"write HOST:PORT: 127.0.0.1:{port_alone[1]} is this machine, 0.0.0.0:{port_alone[1]} all its addresses"
        elif re.fullmatch(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%\w+)?", text, re.ASCII):
            hint = "an IPv6 address goes in brackets: [::1]:7000"
        raise ValueError(f"{text!r} is not an address ({hint})")
    host, port = match.group(1) or match.group(2), int(match.group(3))
    if port > 65535:
        raise ValueError(f"{text!r}: the highest port is 65535")
    if match.group(1) is not None:
        try:
            ipaddress.IPv6Address(host)
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}") from None
    elif re.fullmatch(r"[0-9.]+", host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}") from None
    return Address(host, port)


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks from a comma-separated list of ``10.0.0.0/8``, ``192.168.1.7``, ``fd00::/8``."""
    return tuple(map(_parse_network, parse_names(text)))


def _parse_network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not a network (write 10.0.0.0/8, 192.168.1.7 or fd00::/8)") from None
    raise ValueError(f"{text!r} has host bits set: write {network} for the network, {text.partition('/')[0]} for one address")


class Secret(NamedTuple):
    """Where a secret is kept: ``file:PATH`` or ``env:NAME``. The secret itself is read when it is needed, and never printed."""

    kind: Literal["file", "env"]
    name: str


def parse_secret(text: str) -> Secret:
    kind, colon, name = text.partition(":")
    if not colon or kind not in ("file", "env") or not name:
        raise ValueError("a secret is not written here: write file:PATH or env:NAME")
    return Secret("file" if kind == "file" else "env", name)


def parse_rate(text: str) -> float:
    """Packets per second, from ``10/s``, ``0.5/s``."""
    match = re.fullmatch(rf"({_NUMBER.pattern})/s", text, re.ASCII)
    if match is None or float(match.group(1)) <= 0:
        raise ValueError(f"{text!r} is not a rate (write 10/s)")
    return float(match.group(1))


def parse_mode(text: str) -> int:
    """File mode bits, from octal digits as ``0600``."""
    if not re.fullmatch(r"0?[0-7]{3}", text):
        raise ValueError(f"{text!r} is not a file mode (write 0600)")
    return int(text, 8)


def _unit(amount: int, units: dict[str, int]) -> str:
    """The amount in the largest unit that leaves no fraction; "" if every unit does."""
    whole = [unit for unit, size in units.items() if amount >= size and amount % size == 0]
    unit = max(whole, key=units.__getitem__, default="")
    return f"{amount // units[unit]}{unit}" if unit else ""


def write_duration(seconds: float) -> str:
    if seconds == 0:
        return "0"
    microseconds = {unit: round(size * 1e6) for unit, size in _DURATIONS.items()}
    return _unit(round(seconds * 1e6), microseconds)


def write_size(size: int) -> str:
    return _unit(size, {unit: _SIZES[unit] for unit in ("KiB", "MiB", "GiB")}) or str(size)


def write_count(count: int, thing: str) -> str:
    """``1 link``, ``2 links``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def write_yes_no(value: bool) -> str:
    return "yes" if value else "no"


_WRITTEN = {13: "\\r", 10: "\\n", 9: "\\t", 0: "\\0", 92: "\\\\", 59: "\\;"}


def write_escaped(data: bytes) -> str:
    """Text that `parse_escaped` reads as ``data``. Blanks, commas and quotes become ``\\xNN``, so it can be an entry of a list."""
    plain = b"\"', "
    return "".join(_WRITTEN.get(byte) or (chr(byte) if 32 <= byte < 127 and byte not in plain else f"\\x{byte:02x}") for byte in data)


def write_names(names: tuple[Any, ...]) -> str:
    return ", ".join(map(str, names))


def _absolute(path: str, info: ValidationInfo) -> str:
    """The absolute path, by ``context["absolute"]``; without a context, as in Python code, the path as it is."""
    return info.context["absolute"](path) if info.context else path


def _absolute_secret(secret: Secret, info: ValidationInfo) -> Secret:
    return secret._replace(name=_absolute(secret.name, info)) if secret.kind == "file" else secret


Duration = Annotated[float, _from_text(parse_duration), Written("a duration: 300ms, 2s, 5m", write_duration)]
Size = Annotated[int, _from_text(parse_size), Written("a size: 512, 64KiB, 1MB", write_size)]
Integer = Annotated[int, _from_text(parse_integer), Written("an integer")]
YesNo = Annotated[bool, _from_text(parse_yes_no), Written("yes or no", write_yes_no)]
Escaped = Annotated[bytes, _from_text(parse_escaped), Written(r"bytes: text with \r \n \t \0 \xNN \; \\", write_escaped)]
Names = Annotated[tuple[str, ...], _from_text(parse_names), Written("names, separated by commas", write_names)]
Networks = Annotated[
    tuple[Network, ...], _from_text(parse_networks), Written("networks, separated by commas: 10.0.0.0/8, fd00::/8", write_names)
]
SecretRef = Annotated[
    Secret, _from_text(parse_secret), AfterValidator(_absolute_secret), Written("a secret: file:PATH or env:NAME", ":".join)
]
Rate = Annotated[float, _from_text(parse_rate), Written("a rate: 10/s", "{:g}/s".format)]
FileMode = Annotated[int, _from_text(parse_mode), Written("a file mode: 0600", "0{:o}".format)]
TcpAddress = Annotated[Address, _from_text(parse_address), Written("an address: HOST:PORT, IPv6 in brackets")]
FilePath = Annotated[str, AfterValidator(_absolute), Written("a path, relative to this file")]
