"""Open a terminal device as a serial port, lock it and set it.

A setting that the driver refuses is a warning, not an error: a pty has no parity, a USB bridge may have no RTS. Settings are those of
termios(3), set by pyserial. The lock is TIOCEXCL of ioctl_tty(2), which does not stop root, and flock(2), which stops only programs that
use it.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import stat
import sys
import termios
from contextlib import suppress
from typing import Any, cast

import serial

from ..net.holders import holder
from ..net.sockets import hung_up
from .errors import PortError, absent, busy, denied, not_a_port
from .settings import Flow, ModemLine, Parity, PortSettings, StopBits

_LINUX = sys.platform.startswith("linux")
_TIOCGEXCL = 0x80045440  # asm-generic/ioctls.h; missing in the termios module of Python 3.11
_TCGETS2 = 0x802C542A
_CMSPAR = 0o10000000000
_ROUNDING = 0.03
"""The part by which a rate may differ from the wanted one: UARTs still understand each other."""

_STOP_BITS: dict[StopBits, float] = {"1": serial.STOPBITS_ONE, "1.5": serial.STOPBITS_ONE_POINT_FIVE, "2": serial.STOPBITS_TWO}

_PARITIES: tuple[Parity, ...] = ("none", "even", "odd", "mark", "space")
_STATES: dict[ModemLine, bool | None] = {"keep": None, "on": True, "off": False}
_COMPARED = ("baudrate", "bytesize", "parity", "stopbits", "flow")


class TTY(serial.Serial):
    """A terminal device, locked and set.

    ``warnings``: one sentence for each setting that was asked for and is not in force.
    """

    # Attributes of pyserial that are missing in its stubs.
    fd: int
    _baudrate: int
    _bytesize: int
    _parity: str
    _stopbits: float
    _rtscts: bool
    _xonxoff: bool

    def __init__(self, path: str, settings: PortSettings) -> None:
        """Open the device. Raises PortError, OSError or termios.error."""
        self.warnings: list[str] = []
        self._wanted = settings
        super().__init__(
            None,
            baudrate=settings.baudrate,
            bytesize=settings.bytesize,
            parity=settings.parity[0].upper(),
            stopbits=_STOP_BITS[settings.stopbits],
            xonxoff=settings.flow == "xonxoff",
            rtscts=settings.flow == "rtscts",
            dsrdtr=settings.flow == "dsrdtr",
            timeout=0,
            # Makes pyserial set VMIN = 1: then an empty read means that the line hung up, not that nothing is there.
            inter_byte_timeout=0,
        )
        # Linux raises both lines at every open (tty_port_open): `off` takes effect a moment later, `keep` leaves them raised.
        self._rts_state = _STATES[settings.rts]
        self._dtr_state = _STATES[settings.dtr]
        self.port = path
        self.open()

    def open(self) -> None:
        super().open()
        if self._wanted.flow == "dsrdtr":
            self.warnings.append("flow dsrdtr: this system has no flow control by DSR and DTR; DTR is left as it is")
        if self._wanted.exclusive:
            try:
                fcntl.ioctl(self.fd, termios.TIOCEXCL)
            except OSError:
                self.close()
                raise

    def close(self) -> None:
        """Release the port, without waiting: what the hardware has not sent is discarded."""
        if self.is_open:
            # After a hang-up each of these fails, and is not needed.
            with suppress(OSError):
                if self._wanted.exclusive:
                    # The mode belongs to the terminal: it would outlive our descriptor while another program has it open.
                    fcntl.ioctl(self.fd, termios.TIOCNXCL)
            with suppress(OSError, termios.error):
                # Only if there is something: a flush of a pty also discards what the far end has not read.
                if self.out_waiting:
                    self.reset_output_buffer()
        super().close()

    def read_some(self, size: int) -> bytes:
        """What has come in, at most ``size`` bytes, without waiting; b"" at a hang-up. Raises BlockingIOError, or OSError."""
        return os.read(self.fd, size)

    def write_some(self, data: bytes) -> int:
        """Write what there is room for, and return how much that was. Raises BlockingIOError, or OSError."""
        return os.write(self.fd, data)

    def unsent(self) -> int:
        """Bytes that were written and that the hardware has not sent, as far as the driver knows."""
        try:
            return int(self.out_waiting) if self.fd is not None else 0
        except (OSError, termios.error):
            return 0

    def hung_up(self) -> bool:
        """Whether the line has ended."""
        return hung_up(self.fd)

    def in_force(self) -> PortSettings:
        """Return the settings that the kernel has now. Raises termios.error when the device is gone."""
        iflag, _oflag, cflag, _lflag, _ispeed, ospeed, _cc = termios.tcgetattr(self.fd)
        sizes = {termios.CS5: 5, termios.CS6: 6, termios.CS7: 7, termios.CS8: 8}
        stopbits: StopBits = "1"
        if cflag & termios.CSTOPB:
            stopbits = "1.5" if self._stopbits == serial.STOPBITS_ONE_POINT_FIVE and cflag & termios.CSIZE == termios.CS5 else "2"
        flow: Flow = "none"
        if cflag & termios.CRTSCTS:
            flow = "rtscts"
        elif iflag & (termios.IXON | termios.IXOFF):
            flow = "xonxoff"
        return self._wanted._replace(
            baudrate=self._rate_in_force(ospeed),
            bytesize=cast(Any, sizes[cflag & termios.CSIZE]),
            parity=_parity(cflag),
            stopbits=stopbits,
            flow=flow,
        )

    def _reconfigure_port(self, force_update: bool = False) -> None:
        if not self.is_open:
            self._claim()
        self._set_hangup()
        refused: set[str] = set()
        while True:
            failure: Exception | None = None
            try:
                super()._reconfigure_port(force_update=True)  # type: ignore[misc]
            except (termios.error, ValueError) as error:
                # tcsetattr of glibc fails although it has set all else; pyserial's own checks raise ValueError.
                failure = error
            news = self._differences() - refused
            if failure is None and not news:
                return
            if failure is not None and not news:
                raise failure
            refused |= news

    def _update_rts_state(self) -> None:
        self._set_line("RTS", self._rts_state, super()._update_rts_state)  # type: ignore[misc]

    def _update_dtr_state(self) -> None:
        self._set_line("DTR", self._dtr_state, super()._update_dtr_state)  # type: ignore[misc]

    def _set_line(self, name: str, state: bool | None, update: Any) -> None:
        if state is None:
            return
        try:
            update()
        except OSError as error:
            if self.is_open or error.errno not in (errno.EINVAL, errno.ENOTTY):
                raise
            self.warnings.append(f"{name.lower()} {'on' if state else 'off'}: the driver has no {name} ({error.strerror})")
            self._wanted = self._wanted._replace(rts="keep") if name == "RTS" else self._wanted._replace(dtr="keep")

    def _claim(self) -> None:
        """Lock the port, before anything is changed: a program that uses it needs its settings."""
        try:
            termios.tcgetattr(self.fd)
        except termios.error as error:
            if error.args[0] == errno.ENOTTY:
                raise not_a_port() from None
            raise PortError(f"{error.args[1]}: no UART works under this name") from None
        if not self._wanted.exclusive:
            return
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy(str(self.port)) from None
        if self._is_exclusive() and (who := holder(str(self.port), locks=False)):
            # Another program locked it by ioctl alone, which does not stop root. Without such a program the mode is only a left-over.
            raise busy(str(self.port), who)

    def _is_exclusive(self) -> bool:
        if not _LINUX:
            return False
        try:
            return any(fcntl.ioctl(self.fd, _TIOCGEXCL, bytes(4)))
        except OSError:
            return False

    def _set_hangup(self) -> None:
        # HUPCL drops DTR at the last close, which resets an Arduino. BRKINT would flush the input at a break.
        attributes = termios.tcgetattr(self.fd)
        attributes[0] &= ~termios.BRKINT
        attributes[2] &= ~termios.HUPCL
        if self._wanted.hangup:
            attributes[2] |= termios.HUPCL
        termios.tcsetattr(self.fd, termios.TCSANOW, attributes)

    def _differences(self) -> set[str]:
        """Return the settings that the driver refused. They are replaced by those in force, with a warning for each."""
        asked, actual = self._asked(), self.in_force()
        if abs(actual.baudrate - asked.baudrate) <= asked.baudrate * _ROUNDING:
            asked = asked._replace(baudrate=actual.baudrate)
        different = {name for name in _COMPARED if getattr(asked, name) != getattr(actual, name)}
        for name in sorted(different):
            self.warnings.append(f"{name} {getattr(asked, name)}: the driver refuses it; {getattr(actual, name)} is in force")
        if "baudrate" in different:
            self._baudrate = actual.baudrate or 9600
        self._bytesize = actual.bytesize
        self._parity = actual.parity[0].upper()
        self._stopbits = _STOP_BITS[actual.stopbits]
        self._rtscts, self._xonxoff = actual.flow == "rtscts", actual.flow == "xonxoff"
        return different

    def _asked(self) -> PortSettings:
        return self._wanted._replace(
            baudrate=self._baudrate,
            bytesize=cast(Any, self._bytesize),
            parity=next(parity for parity in _PARITIES if parity[0].upper() == self._parity),
            stopbits=next(name for name, value in _STOP_BITS.items() if value == self._stopbits),
            flow="rtscts" if self._rtscts else "xonxoff" if self._xonxoff else "none",
        )

    def _rate_in_force(self, ospeed: int) -> int:
        if _LINUX:
            # struct termios2 (asm-generic/termbits.h): c_ispeed and c_ospeed are the last of eleven words, in baud.
            words = array.array("i", [0] * 16)
            fcntl.ioctl(self.fd, _TCGETS2, words)
            return words[10]
        rates = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
        return rates.get(ospeed, ospeed)


def _parity(cflag: int) -> Parity:
    if not cflag & termios.PARENB:
        return "none"
    odd = bool(cflag & termios.PARODD)
    if _LINUX and cflag & _CMSPAR:
        return "mark" if odd else "space"
    return "odd" if odd else "even"


def open_tty(path: str, settings: PortSettings) -> TTY:
    """Open the port at ``path``, lock it and set it. Raises PortAbsentError if nothing is there, else PortError."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISCHR(mode):
            # Not opened at all: opening a FIFO or a disk has effects.
            raise not_a_port(mode)
        return TTY(path, settings)
    except termios.error as error:
        raise PortError(str(error.args[-1])) from None
    except OSError as error:
        # SerialException of pyserial is an OSError too.
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ENODEV):
            raise absent(path) from None
        if error.errno == errno.EBUSY:
            raise busy(path) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise denied(path) from None
        raise PortError(os.strerror(error.errno) if error.errno else str(error)) from None
