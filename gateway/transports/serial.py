"""``transport = serial``: a device on a serial port, opened for as long as it takes, reopened for ever."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from twisted.internet.defer import Deferred, succeed

from ..bus.outbox import DeviceOutboxOptions, OutboxOptions
from ..config.plan import LinkPlan, StreamOptions
from ..links.connector import Connector
from ..links.link import Link
from ..links.runtime import Runtime
from ..links.session import Session
from ..links.stream import StreamProtocol, stream_wires
from ..net.turns import Turns
from ..net.watch import Watch
from ..options import Written, YesNo, parse_integer
from ..peer import Peer
from ..ports.errors import PortError, obstacle
from ..ports.nodes import LOOK, Node
from ..ports.settings import BaudRate, ByteSize, Flow, ModemLine, Parity, PortSettings, Speed, StopBits
from ..ports.usbnames import PREFIX, find, parse_usb_name
from ..registry import trait

IS_DEVICE = True
IMPLIED_BY = ("device",)
PLACES = {"device": "opens"}
ALSO_CALLED = ("uart", "tty", "usb", "com", "rs232", "rs-232", "rs485", "rs-485")


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
    if options.flow == "xonxoff" and (options.framing is None or not trait(options.framing, "OF_TEXT", False)):
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
        found = None if "://" in device else obstacle(find(parse_usb_name(device)) if device.startswith(PREFIX) else device)
    except LookupError:
        found = obstacle(device)
    except ValueError as error:
        return [f"device = {device}: {error}"]
    return [f"device = {device} {found}; it is waited for"] if found else []


class Together(NamedTuple):
    """What all ports share, so that many of them at the same time cost little more than one."""

    looks: Watch[Node]
    turns: Turns


def _together(runtime: Runtime) -> Together:
    if Together not in runtime.shared:

        def failed(node: Node) -> None:
            runtime.notices.failed("node", "a device that is away could not be looked for; it is tried now and then")

        looks = Watch[Node](runtime.reactor, LOOK, lambda node, now: node.look(), failed)
        runtime.shared[Together] = Together(looks, Turns(runtime.reactor))
    found: Together = runtime.shared[Together]
    return found


class SerialDial:
    """Opens the port, and looks after its node."""

    resyncs = True
    rests = False
    comes_back = True

    def __init__(self, options: Options, runtime: Runtime) -> None:
        self.place = options.device
        self._options = options
        self._runtime = runtime
        self._has_node = "://" not in options.device and sys.platform != "win32"
        self._together = _together(runtime)
        self._node = Node(options.device, runtime.devices, self._together.looks)
        self._session: Session | None = None
        self._other = ""

    def attempt(self, link: Link) -> Deferred[Any]:
        device = self._options.device
        if device == "loop://":
            from ..ports.loopport import LoopPort

            LoopPort(_protocol(link, device), self._runtime.reactor)
            return succeed(None)
        if not self._has_node:
            from ..ports.urlport import open_url

            return open_url(device, self._options.settings, self._runtime.reactor).addCallback(self._opened_by_url, link)
        return succeed(self._open_tty(link))

    def look_out(self, wake: Callable[[], None] | None) -> None:
        if self._has_node:
            self._node.look_out(wake and partial(self._together.turns.call, wake))

    def opened(self, link: Link, session: Session) -> None:
        self._session = session
        if self._has_node:
            self._runtime.watch.add(self)

    def ended(self, session: Session) -> None:
        self._runtime.watch.forget(self)
        self._session = None

    def check(self, now: float) -> bool:
        """Once a second while the port is open: whether its name leads to another device by now."""
        if self._session is not None and self._node.replaced:
            self._session.abort("replaced: its name leads to another device now")
        return self._session is not None

    def _opened_by_url(self, port: Any, link: Link) -> str:
        from ..ports.urlport import UrlPort

        UrlPort(_protocol(link, self._options.device), port, self._runtime.reactor)
        return str(self._options.settings)

    def _open_tty(self, link: Link) -> str:
        from ..ports.ttyport import TtyPort

        devices = self._runtime.devices
        path = devices.find(self._options.device)
        tty = devices.open(path, self._options.settings)
        self._node.opened(path)
        other = devices.sharer(path) if self._options.exclusive else ""
        if other and other != self._other:
            text = f"{other} has it open too, without a lock: what one of them reads the other misses"
            link.report("shared", text, peer=path)
        self._other = other
        for refused in tty.warnings:
            link.report("refused_settings", refused, peer=path)
        settings = str(tty.in_force())
        protocol = _protocol(link, path)
        TtyPort(protocol, tty, self._runtime.reactor, self._together.turns.call)
        if not protocol.session.open:
            raise PortError("was lost while it was opened")
        return settings if path == self._options.device else f"{path} {settings}"


def _protocol(link: Link, name: str) -> StreamProtocol:
    return StreamProtocol(link.new_session(Peer(False, name=name)))


def make_link(plan: LinkPlan, runtime: Runtime) -> Link:
    """One session: the open port."""
    options: Any = plan.options
    link = Link(plan, runtime, Connector(SerialDial(options, runtime), while_used=options.open == "while-used"), stream_wires(plan))
    if options.stall_timeout:
        # The kernel may hold 64 kB for a line that takes long for them, and cannot always say that it moves.
        link.terms.stall_timeout += 65536 * 10 / options.settings.baudrate
    return link
