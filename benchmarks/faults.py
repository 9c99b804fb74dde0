"""How soon a thousand clients are served, packets flow again after a replug, and the program ends after TERM."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator
from pathlib import Path

from . import yardstick

INI = "[dev]\ndevice = {dev}\nframing = lines\n[net]\nlisten = 127.0.0.1:{port}\nattach = dev\nmax_sessions = 6000\n"


class Pty:
    """The far end of a serial device, whose name can go away and come back."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.plug()

    def plug(self) -> None:
        self.far, self.near = os.openpty()
        tty.setraw(self.near)
        fresh = self.name.with_suffix(".new")
        os.symlink(os.ttyname(self.near), fresh)
        os.replace(fresh, self.name)

    def unplug(self) -> None:
        self.name.unlink()
        os.close(self.near)
        os.close(self.far)


@contextlib.contextmanager
def running() -> Iterator[tuple[Pty, int, subprocess.Popen[bytes]]]:
    """Run the gateway with a pty and a port; the block begins when it serves."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        taken.close()
        place = Path(folder)
        pty = Pty(place / "tty")
        (place / "gw.ini").write_text(INI.format(dev=pty.name, port=port))
        command = [sys.executable, "-m", "twisted", "--log-level", "critical", "gateway", "--config", str(place / "gw.ini")]
        child = subprocess.Popen(command, env=dict(os.environ, PYTHONPATH=str(yardstick.HERE)))
        try:
            while True:
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield pty, port, child
        finally:
            child.kill()
            child.wait()


def storm(count: int) -> float:
    """Seconds from the first of ``count`` connects at once until every client has a packet."""
    with running() as (pty, port, _):
        clients = []
        began = time.monotonic()
        for _ in range(count):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            clients.append(client)
        left = set(clients)
        while left:
            os.write(pty.far, b"hello\n")
            for client in tuple(left):
                with contextlib.suppress(BlockingIOError, OSError):
                    if b"hello\n" in client.recv(4096):
                        left.discard(client)
        took = time.monotonic() - began
        for client in clients:
            client.close()
        return took


def replug(away: float) -> float:
    """Seconds from the return of a device, which was away for ``away`` seconds, until a client has its first packet."""
    with running() as (pty, port, _), socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(0.01)
        until(client, pty, b"before\n")
        pty.unplug()
        time.sleep(away)
        pty.plug()
        began = time.monotonic()
        until(client, pty, b"after\n")
        return time.monotonic() - began


def until(client: socket.socket, pty: Pty, line: bytes) -> None:
    """Send a line from the device again and again until the client has it."""
    heard = b""
    while line not in heard:
        os.write(pty.far, line)
        with contextlib.suppress(TimeoutError):
            heard += client.recv(4096)


def termination(count: int) -> float:
    """Seconds from TERM until the process has ended, with ``count`` clients, one of which never reads and has packets waiting."""
    with running() as (pty, port, child):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        clients[1].settimeout(0.01)
        until(clients[1], pty, b"hello\n")
        for client in clients[1:]:
            client.setblocking(False)
        block = (b"x" * 63 + b"\n") * 64
        for _ in range(1200):
            os.write(pty.far, block)
            for client in clients[1:]:
                with contextlib.suppress(BlockingIOError):
                    while client.recv(1 << 20):
                        pass
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        child.wait()
        took = time.monotonic() - began
        for client in clients:
            client.close()
        return took


def measure(rounds: int) -> bool:
    """Measure all and print a line for each. Returns whether all were within their limits."""
    reached = True
    for name, run, limit in (
        ("1000 clients at once, all served", lambda: storm(1000), 1.0),
        ("packets again after a replug", lambda: replug(3.0), 1.0),
        ("ended after TERM, one of 10 clients not reading", lambda: termination(10), 2.0),
    ):
        seconds = [run() for _ in range(rounds)]
        good = statistics.median(seconds) <= limit
        reached &= good
        print(
            f"| {name} | | | - | {statistics.median(seconds):.2f} s [{min(seconds):.2f} - {max(seconds):.2f}] | - | {limit:g} s "
            f"| {'reached' if good else 'NOT REACHED'} |",
            flush=True,
        )
    return reached
