"""``transport = replay``: plays a capture file as if it were a device."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator
from twisted.internet.defer import Deferred, succeed

from ..bus.outbox import DeviceOutboxOptions, OutboxOptions
from ..captures.pace import LARGEST, LONGEST_GAP, Burst, LineTime, at_once, at_rate, in_real_time, line_time
from ..captures.player import Player
from ..config.plan import LinkPlan, StreamOptions
from ..links.connector import Connector
from ..links.link import Link
from ..links.runtime import Runtime
from ..links.session import Session
from ..links.stream import stream_wires
from ..options import FilePath, Written, YesNo, parse_rate
from ..peer import Peer
from ..ports.errors import PortError
from ..registry import finds_packets, kind_name, make_framer

IS_DEVICE = True
PLACES = {"file": "reads"}
ALSO_CALLED = ("file",)
TAKES_DATA = False

_NO_TIMES = (
    "rate = realtime needs times in the capture: a first column with the time (2024-05-01T12:00:00.5Z, or seconds since the epoch),"
    " or NMEA sentences with the time of day; else write rate = 10/s or rate = asap"
)


class Pace(NamedTuple):
    """How fast: ``realtime``, ``asap``, or so many packets a second."""

    word: str
    rate: float = 0.0

    def __str__(self) -> str:
        return self.word or f"{self.rate:g}/s"


def _parse_pace(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value in ("realtime", "asap"):
        return Pace(value)
    try:
        return Pace("", parse_rate(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a rate (write 10/s, realtime or asap)") from None


PlayRate = Annotated[Pace, BeforeValidator(_parse_pace), Written("a rate: 10/s, realtime or asap")]


class Options(StreamOptions):
    """A capture: which file, how fast, how often."""

    file: FilePath = Field(min_length=1, description="the capture: the bytes of a device as they came, of any size")
    rate: PlayRate = Field(
        Pace("realtime"),
        description="10/s: so many packets a second; realtime: by the times in the capture, which are a first column with the time of each"
        " line (ISO 8601 or seconds since the epoch; it is not part of the data) or those in NMEA sentences, and a gap of"
        " more than a minute is not waited for; asap: as fast as it is taken",
    )
    repeat: YesNo = Field(False, description="begin anew at the end")
    open: Literal["always", "while-used"] = Field("always", description="play always, or only while somebody hears it")
    outbox: OutboxOptions = DeviceOutboxOptions.model_validate({})

    @model_validator(mode="after")
    def _has_a_pace(self) -> Options:
        if self.rate.rate and (self.framing is None or not finds_packets(self.framing)):
            raise ValueError("rate = N/s counts packets: say where they end, as framing = lines does")
        try:
            with open_capture(self.file) as file:
                if self.rate.word == "realtime" and line_time(file.read(LARGEST)) is None:
                    raise ValueError(_NO_TIMES)
        except (PortError, OSError):
            return self  # `warnings` tells it: the file may come later
        return self


def warnings(options: Options) -> list[str]:
    """What a configuration may say, and its writer should think about."""
    try:
        open_capture(options.file).close()
    except PortError as error:
        return [f"file = {options.file} {error}; it is tried again until it is there"]
    return []


def open_capture(path: str) -> BinaryIO:
    """Open for reading; raises PortError with a text that goes on after the path."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise PortError("is not a regular file")
        return open(path, "rb")
    except OSError as error:
        raise PortError(f"cannot be read: {error.strerror}") from None


class ReplayDial:
    """Opens the capture and plays it."""

    resyncs = False
    rests = True
    comes_back = False

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        options: Any = plan.options
        self.place: str = options.file
        self._options: Options = options
        self._framing = plan.framing
        self._runtime = runtime
        self._file: BinaryIO | None = None

    def attempt(self, link: Link) -> Deferred[Any]:
        file = self._file = open_capture(self.place)
        find = line_time(file.read(LARGEST))
        if self._options.rate.word == "realtime" and find is None:
            file.close()
            raise PortError(_NO_TIMES)
        session = link.new_session(Peer(False, name=os.path.basename(self.place)))
        Player(session, self._passes(link, file, find), self._runtime.reactor, lambda: self._ended(link), lambda: self._unwritable(link))
        return succeed(None)

    def look_out(self, wake: Callable[[], None] | None) -> None:
        """A capture that is not there is tried again, and not watched for."""

    def opened(self, link: Link, session: Session) -> None:
        """It plays."""

    def ended(self, session: Session) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _passes(self, link: Link, file: BinaryIO, find: LineTime | None) -> Iterator[Iterator[Burst]]:
        while True:
            file.seek(0)
            yield self._bursts(link, iter(lambda: file.read(LARGEST), b""), find)
            if not self._options.repeat or not file.tell():
                return

    def _bursts(self, link: Link, chunks: Iterator[bytes], find: LineTime | None) -> Iterator[Burst]:
        rate, framing = self._options.rate.rate, self._framing
        if rate and framing is not None:
            return at_rate(chunks, rate, make_framer(framing), kind_name(framing) == "lines")
        if self._options.rate.word == "realtime" and find is not None:
            return in_real_time(chunks, find, lambda gap: self._leapt(link, gap))
        return at_once(chunks)

    def _leapt(self, link: Link, gap: float) -> None:
        text = f"the times in the capture leap by {gap:.0f} s: played on at once, since more than {LONGEST_GAP:.0f} s is not waited for"
        link.report("leap", text, peer=self.place)

    def _ended(self, link: Link) -> None:
        is_empty = self._file is not None and not self._file.tell()
        text = "it is empty; nothing will come from it" if is_empty else "played to its end (repeat = no); nothing more will come from it"
        link.report("played", text, peer=self.place, level="info")

    def _unwritable(self, link: Link) -> None:
        text = "a capture takes nothing; what is written to it is discarded"
        link.report("writes_discarded", text, peer=self.place)


def make_link(plan: LinkPlan, runtime: Runtime) -> Link:
    """One session: the capture that is played."""
    options: Any = plan.options
    return Link(plan, runtime, Connector(ReplayDial(plan, runtime), while_used=options.open == "while-used"), stream_wires(plan))
