"""``transport = replay``: plays a capture file as if it were a device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

from pydantic import BeforeValidator, Field, model_validator
from twisted.internet.defer import Deferred, succeed

from ..bus.outbox import DeviceOutboxOptions, OutboxOptions
from ..captures.pace import LARGEST, LONGEST_GAP, Burst, LineTime, at_once, at_rate, in_real_time, line_time
from ..captures.player import Player
from ..config.plan import LinkPlan, StreamOptions
from ..links.connector import KeptLink
from ..links.runtime import Runtime
from ..links.session import Session
from ..options import FilePath, Written, YesNo, parse_rate
from ..ports.errors import PortError
from ..registry import finds_packets, kind_name, make_framer

IS_DEVICE = True
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


class PlayedSession(Session):
    """The session of a capture."""

    __slots__ = ()

    def rewind(self) -> None:
        """The capture begins anew: what is left of it is its last packet, and not the beginning of its first."""
        if self._intake is not None:
            self._intake.finish(clean=self.link.on_tail != "drop")
            self._intake = None


class Link(KeptLink):
    """One session: the capture that is played."""

    options: Options

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        super().__init__(plan, runtime)
        self._watch: Any = None
        self._file: BinaryIO | None = None
        self._unused = self.options.open == "while-used"
        self.wants = not self._unused

    def place(self) -> str:
        return self.options.file

    def start(self) -> None:
        super().start()
        if self.options.open == "while-used":
            self._watch = self.runtime.demand.watch(self.topic, self.plan.hears, self._demanded)

    def stop(self) -> Deferred[None]:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        return super().stop()

    def attempt(self) -> Deferred[Any]:
        file = self._file = open_capture(self.options.file)
        find = line_time(file.read(LARGEST))
        if self.options.rate.word == "realtime" and find is None:
            file.close()
            raise PortError(_NO_TIMES)
        session = PlayedSession(self, os.path.basename(self.options.file))
        if self._unused:
            session.pause(self)
        Player(session, self._passes(file, find), self.runtime.reactor, self._ended, self._unwritable)
        return succeed(None)

    def left(self, session: Session, reason: str) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        super().left(session, reason)

    def _demanded(self, count: int) -> None:
        self._unused = not count
        for session in self.sessions:
            if self._unused:
                session.pause(self)
            else:
                session.resume(self)

    def _passes(self, file: BinaryIO, find: LineTime | None) -> Iterator[Iterator[Burst]]:
        while True:
            file.seek(0)
            yield self._bursts(iter(lambda: file.read(LARGEST), b""), find)
            if not self.options.repeat or not file.tell():
                return

    def _bursts(self, chunks: Iterator[bytes], find: LineTime | None) -> Iterator[Burst]:
        rate, framing = self.options.rate.rate, self.plan.framing
        if rate and framing is not None:
            return at_rate(chunks, rate, make_framer(framing), kind_name(framing) == "lines")
        if self.options.rate.word == "realtime" and find is not None:
            return in_real_time(chunks, find, self._leapt)
        return at_once(chunks)

    def _leapt(self, gap: float) -> None:
        text = f"the times in the capture leap by {gap:.0f} s: played on at once, since more than {LONGEST_GAP:.0f} s is not waited for"
        self.runtime.notices.say(f"{self.name} leap", f"[{self.name}] {self.options.file}: {text}")

    def _ended(self) -> None:
        self.keeper.stop()
        is_empty = self._file is not None and not self._file.tell()
        text = "it is empty; nothing will come from it" if is_empty else "played to its end (repeat = no); nothing more will come from it"
        self.runtime.log.info("{text}", text=f"[{self.name}] {self.options.file}: {text}")

    def _unwritable(self) -> None:
        self.count("writes_discarded")
        text = f"[{self.name}] {self.options.file}: a capture takes nothing; what is written to it is discarded"
        self.runtime.notices.say(f"{self.name} unwritable", text)
