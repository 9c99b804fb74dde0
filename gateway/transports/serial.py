"""``transport = serial``: a device on a serial port, opened for as long as it takes, reopened for ever."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from twisted.internet.defer import Deferred, succeed

from ..bus.outbox import DeviceOutboxOptions, OutboxOptions
from ..config.plan import LinkPlan, StreamOptions
from ..links.connector import KeptLink
from ..links.link import Link as AnyLink
from ..links.runtime import Runtime
from ..links.session import Session
from ..links.stream import StreamProtocol
from ..options import Written, YesNo, parse_integer
from ..ports.errors import PortAbsentError, PortError
from ..ports.settings import BaudRate, ByteSize, Flow, ModemLine, Parity, PortSettings, Speed, StopBits
from ..ports.usbnames import PREFIX, find, parse_usb_name
from ..registry import kind_name

IS_DEVICE = True

_LOOK = 0.25
"""Seconds between two looks for the device's node while it is away."""


def _device(text: str, info: ValidationInfo) -> str:
    if not text:
        raise ValueError("a device is missing (write /dev/ttyUSB0, usb:VID:PID, loop:// or a pyserial URL)")
    if "\0" in text:
        raise ValueError(f"{text!r} holds a NUL")
    if text.lower().startswith(PREFIX):
        return str(parse_usb_name(PREFIX + text[len(PREFIX) :]))
    scheme, is_url, rest = text.partition("://")
    if is_url:
        scheme = scheme.lower()
        if not re.fullmatch(r"[a-z0-9]+", scheme) or importlib.util.find_spec(f"serial.urlhandler.protocol_{scheme}") is None:
            raise ValueError(
                f"{text!r}: pyserial knows no {scheme}:// (socket://HOST:PORT and rfc2217://HOST:PORT are ports on the network)"
            )
        return f"{scheme}://{rest}"
    if re.fullmatch(r"COM[0-9]+", text, re.IGNORECASE):
        return text.upper()
    return str(info.context["absolute"](text)) if info.context else text


Device = Annotated[
    str,
    AfterValidator(_device),
    Written("a path, usb:VID:PID[:SERIAL], COM3, loop://, or a pyserial URL such as rfc2217://HOST:PORT"),
]


class Options(StreamOptions):
    """A serial port: what it is, how it is set, when it is open."""

    device: Device = Field(description="the port; /dev/serial/by-id/... and usb:VID:PID[:SERIAL] find a device whatever its name is today")
    baudrate: BaudRate = Field(Speed(9600), description="any rate up to 12000000, alone or with the character format: 9600, 9600 7E1")
    bytesize: Annotated[ByteSize, BeforeValidator(lambda value: parse_integer(value) if isinstance(value, str) else value)] = Field(
        8, description="data bits"
    )
    parity: Parity = Field("none", description="the parity bit")
    stopbits: StopBits = Field("1", description="stop bits; 1.5 only with 5 data bits")
    flow: Flow = Field("none", description="flow control; xonxoff takes the bytes 0x11 and 0x13 out of the data")
    rts: ModemLine = Field("keep", description="the RTS line when the port is opened; keep leaves it as the system sets it")
    dtr: ModemLine = Field("keep", description="the DTR line when the port is opened; keep leaves it as the system sets it")
    hangup: YesNo = Field(False, description="drop DTR when the port is closed, which resets an Arduino")
    open: Literal["always", "while-used"] = Field(
        "always", description="when the port is open: always, or only while somebody hears the device or can write to it"
    )
    exclusive: YesNo = Field(True, description="lock the port (TIOCEXCL and flock), so that no other program takes bytes away")
    outbox: OutboxOptions = DeviceOutboxOptions.model_validate({})

    @field_validator("bytesize", "parity", "stopbits")
    @classmethod
    def _same_format(cls, value: Any, info: ValidationInfo) -> Any:
        speed = info.data.get("baudrate")
        said = getattr(speed, info.field_name or "") if speed else None
        if said is not None and said != value:
            raise ValueError(f"{value} contradicts baudrate = {speed}")
        return value

    @model_validator(mode="after")
    def _one_driver(self) -> Options:
        for flow, name, state in (("rtscts", "rts", self.rts), ("dsrdtr", "dtr", self.dtr)):
            if self.flow == flow and state != "keep":
                raise ValueError(f"{name} = {state} contradicts flow = {flow}, which drives that line by itself")
        return self

    @property
    def settings(self) -> PortSettings:
        """What the port is to be set to."""
        speed = self.baudrate
        return PortSettings(
            speed.baudrate,
            speed.bytesize or self.bytesize,
            speed.parity or self.parity,
            speed.stopbits or self.stopbits,
            self.flow,
            self.rts,
            self.dtr,
            self.hangup,
            self.exclusive,
        )


def warnings(options: Options) -> list[str]:
    """What a configuration may say, and its writer should think about."""
    found = []
    if options.flow == "xonxoff" and (options.framing is None or kind_name(options.framing) not in ("lines", "delimiter")):
        found.append("flow = xonxoff takes the bytes 0x11 and 0x13 out of the data: binary packets that hold them are damaged")
    if options.settings.stopbits == "1.5" and options.settings.bytesize != 5:
        found.append("stopbits = 1.5 exists only with 5 data bits: 2 will be in force")
    for name in ("interval", "resync"):
        silence = getattr(options.framing, name, 0.0)
        if 0 < silence <= options.settings.character_time:
            taken = f"one character takes {options.settings.character_time * 1000:.2g} ms at {options.settings.baudrate} baud"
            found.append(f"framing.{name} = {silence * 1000:g}ms: {taken}, so every byte would be taken apart from the next")
    if "://" in options.device and options.hangup:
        found.append("hangup has no effect on a port that is opened by URL")
    return found


def absent(options: Options) -> list[str]:
    """What is not there now, for ``--check``."""
    device = options.device
    try:
        there = "://" in device or os.path.exists(find(parse_usb_name(device)) if device.startswith(PREFIX) else device)
    except LookupError:
        there = False
    except ValueError as error:
        return [f"device = {device}: {error}"]
    return [] if there else [f"device = {device} is not there now; it is waited for"]


class Link(KeptLink):
    """One session: the open port."""

    options: Options

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        super().__init__(plan, runtime)
        self._wanted = True
        self.wants = self.options.open == "always"
        if self.stall_timeout:
            # The kernel may hold 64 kB for a line that takes long for them, and cannot always say that it moves.
            self.stall_timeout += 65536 * 10 / self.options.settings.baudrate
        self._watch: Any = None
        self._look: Any = None
        self._seen: tuple[int, ...] | None = None
        self._node = ""
        self._opened: tuple[int, ...] | None = None
        self._other = ""

    def place(self) -> str:
        return self.options.device

    # When it is open

    def start(self) -> None:
        if self.options.open == "always":
            super().start()
            return
        AnyLink.start(self)
        self._wanted = False
        self._watch = self.runtime.demand.watch(self.topic, self.plan.hears, self._demanded)

    def stop(self) -> Deferred[None]:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._wanted = False
        return super().stop()

    def _demanded(self, count: int) -> None:
        self._wanted = bool(count)
        if not count:
            self.keeper.stop()
            for session in list(self.sessions):
                session.close("nobody uses it (open = while-used)")
        elif not self.sessions:
            self.keeper.start()

    def left(self, session: Session, reason: str) -> None:
        self.runtime.watch.forget(self)
        super().left(session, reason)
        if self._watch is not None and not self._wanted:
            self.say("unused", session, f"closed: {reason}", "info")
        if self._wanted and self.keeper.state == "stopped":
            self.keeper.start()

    # Opening

    def attempt(self) -> Deferred[Any]:
        device = self.options.device
        if device == "loop://":
            from ..ports.loopport import LoopPort

            LoopPort(StreamProtocol(Session(self, device)), self.runtime.reactor)
            return succeed(None)
        if "://" in device or sys.platform == "win32":
            from ..ports.urlport import open_url

            return open_url(device, self.options.settings, self.runtime.reactor).addCallback(self._opened_by_url)
        return succeed(self._open_tty())

    def _opened_by_url(self, port: Any) -> str:
        from ..ports.urlport import UrlPort

        UrlPort(StreamProtocol(Session(self, self.options.device)), port, self.runtime.reactor)
        return str(self.options.settings)

    def _open_tty(self) -> str:
        from ..net.holders import holder
        from ..ports.ttyport import TtyPort
        from ..ports.ttys import open_tty

        path = self._find()
        tty = open_tty(path, self.options.settings)
        self._node, self._opened = path, _identity(path)
        other = holder(path, locks=False) if self.options.exclusive else ""
        if other and other != self._other:
            text = f"{other} has it open too, without a lock: what one of them reads the other misses"
            self.runtime.notices.say(f"{self.name} shared", f"[{self.name}] {path}: {text}")
        self._other = other
        for refused in tty.warnings:
            self.runtime.notices.say(f"{self.name} refused {refused}", f"[{self.name}] {path}: {refused}")
        settings = str(tty.in_force())
        session = Session(self, path)
        TtyPort(StreamProtocol(session), tty, self.runtime.reactor)
        if session.ended:
            raise PortError("was lost while it was opened")
        self.runtime.watch.add(self)
        return settings if path == self.options.device else f"{path} {settings}"

    def _find(self) -> str:
        device = self.options.device
        if not device.startswith(PREFIX):
            return device
        try:
            return find(parse_usb_name(device))
        except LookupError as error:
            raise PortAbsentError(str(error)) from None
        except ValueError as error:
            raise PortError(str(error)) from None

    # Its comings and goings

    def waiting(self, begins: bool) -> None:
        if begins:
            self._seen = self._present()
            if "://" not in self.options.device and sys.platform != "win32":
                self._look = self.runtime.reactor.callLater(_LOOK, self._look_out)
        elif self._look is not None:
            if self._look.active():
                self._look.cancel()
            self._look = None

    def _look_out(self) -> None:
        seen, self._seen = self._seen, self._present()
        if self._seen is not None and self._seen != seen:
            self.keeper.wake()
        else:
            self._look = self.runtime.reactor.callLater(_LOOK, self._look_out)

    def _present(self) -> tuple[int, ...] | None:
        """What identifies the node that could be opened now, access rights included: udev sets them a moment after it makes the node."""
        try:
            found = os.stat(self._find())
        except (OSError, PortError):
            return None
        return (found.st_dev, found.st_ino, found.st_rdev, found.st_mode, found.st_gid)

    def check(self, now: float) -> bool:
        """Once a second while the port is open: whether the name leads to another device by now."""
        there = _identity(self._node)
        if there is not None and there != self._opened:
            for session in list(self.sessions):
                session.abort("replaced: its name leads to another device now")
        return bool(self.sessions)

    def boundary_lost(self, session: Session, text: str) -> None:
        """The framer goes on at the next boundary: to close and open the port would lose more, and reset some devices."""


def _identity(path: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_rdev,)
