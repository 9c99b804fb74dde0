"""The far ends of many devices, in a process of their own, and a reader that misses nothing: what `devices` measures with."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import tty
from multiprocessing import get_context
from typing import Any, NamedTuple

FORK = get_context("fork")
TICK = 0.001


class Heard(NamedTuple):
    """What the reader has heard since it was asked last."""

    packets: int
    lost: int
    """Numbers that were passed over."""
    middle: float
    """Latency in ms, the median, and the longest."""
    longest: float


class Child:
    """A process that answers each word with a value."""

    def __init__(self, run: Any, *arguments: Any) -> None:
        self._here, there = FORK.Pipe()
        self._process = FORK.Process(target=run, args=(there, *arguments), daemon=True)
        self._process.start()
        there.close()
        self.first = self._here.recv()

    def ask(self, *words: Any) -> Any:
        self._here.send(words)
        return self._here.recv()

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def open_pty() -> tuple[int, str]:
    """The far end of a raw pseudo-terminal, and the name of the near one."""
    far, near = os.openpty()
    tty.setraw(near)
    name = os.ttyname(near)
    os.close(near)
    os.set_blocking(far, False)
    return far, name


def feed(pipe: Any, devices: int, rate: int) -> None:
    """Be so many devices, which send ``rate`` packets/s together, each numbered by its device and stamped. Gives their names.

    ``go``; ``unplug`` the last so many: gives how many are left; ``stop``: gives how many packets each of those has sent.
    """
    made = [open_pty() for _ in range(devices)]
    pipe.send([name for _far, name in made])
    pipe.recv()
    pipe.send(None)
    sent = [0] * devices
    left: dict[int, bytes] = {}
    began, done = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - began) * rate)
        for turn in range(done, due):
            device = turn % devices
            if device < len(made):
                line = b"%d %d %.6f ".ljust(44, b".") % (device, sent[device] + 1, time.monotonic())
                sent[device] += 1
                # As on a line without flow control: what nobody takes in time is lost, but no packet is cut.
                waiting = left.pop(device, b"") or line + b"\n"
                try:
                    written = os.write(made[device][0], waiting)
                except BlockingIOError:
                    written = 0
                if written < len(waiting) and (written or len(waiting) <= len(line)):
                    left[device] = waiting[written:]
        done = due
        if pipe.poll():
            word, *rest = pipe.recv()
            if word == "stop":
                pipe.send(sent[: len(made)])
                pipe.recv()  # for ever: what nobody has read yet would go with the far ends
            for far, _name in made[-rest[0] :]:
                os.close(far)
            del made[-rest[0] :]
            pipe.send(len(made))
        time.sleep(TICK)


def read(pipe: Any, port: int) -> None:
    """Read all that the devices send. ``heard``: gives `Heard`; ``last``: gives the last number of each device."""
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(0.01)
    pipe.send(None)
    last: dict[int, int] = {}
    latencies: list[float] = []
    lost, rest = 0, b""
    while True:
        with contextlib.suppress(TimeoutError):
            *lines, rest = (rest + client.recv(1 << 18)).split(b"\n")
            now = time.monotonic()
            for line in lines:
                device, number, stamp, _ = line.split()
                key, seq = int(device), int(number)
                lost += seq - last.get(key, 0) - 1
                last[key] = seq
                latencies.append(now - float(stamp))
        if pipe.poll():
            (word,) = pipe.recv()
            if word == "last":
                pipe.send(last)
                continue
            latencies.sort()
            found = Heard(len(latencies), lost, latencies[len(latencies) // 2] * 1000, latencies[-1] * 1000) if latencies else None
            pipe.send(found or Heard(0, lost, 0.0, 0.0))
            latencies, lost = [], 0
