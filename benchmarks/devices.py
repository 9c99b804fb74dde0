"""A thousand devices on one gateway, beside the same packets from one: loading, the start, CPU, memory, loss, commands, an unplug.

Each device is a pty that sends 20 packets/s; one client reads all of them. Ten more devices answer, each a client of its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.config.load import load

from . import yardstick
from .ptys import Child, feed, open_pty, read

DEVICES = 1000
EACH = 20
"""Packets/s of one device."""
ASKED = 10
"""Devices that answer commands."""
UNPLUGGED = 100
SECONDS = 10.0
SETTLING = 2.0
LOADED = (50, 200, 1000)
GOALS = {"load": 1.0, "start": 2.0, "start CPU": 2.0, "CPU": 0.8, "MB": 100.0, "lost": 0.0, "p99": 5.0, "longest": 20.0, "delay": 5.0}


class Found(NamedTuple):
    """What was measured in one run: s, cores, MB, packets, ms."""

    start: float
    start_cpu: float
    cpu: float
    memory: float
    lost: int
    commands: list[float]
    delays: list[float]


def ini(names: Sequence[str], asked: Sequence[str], ports: Sequence[int]) -> str:
    """A link for each device, a reader of all, and a client's link for each device that is asked."""
    links = [f"[dev/{index:04}]\ndevice = {name}\nframing = lines\n" for index, name in enumerate(names)]
    links.append(f"[all]\nlisten = 127.0.0.1:{ports[0]}\nsubscribe = dev\nframing = lines\noutbox.bytes = 64MiB\n")
    for index, name in enumerate(asked):
        links.append(f"[asked/{index}]\ndevice = {name}\nframing = lines\n")
        links.append(f"[ask/{index}]\nlisten = 127.0.0.1:{ports[index + 1]}\nattach = asked/{index}\n")
    return "".join(links)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in taken]


@contextlib.contextmanager
def running(text: str, port: int) -> Iterator[tuple[int, float]]:
    """Run the gateway; gives its process id, and the seconds from its start until it listens on this port, its last."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "gw.ini")
        place.write_text(text)
        twistd = str(Path(sys.executable).with_name("twistd"))
        command = [twistd, "--nodaemon", "--pidfile=", f"--logfile={folder}/log", "gateway", "--config", str(place)]
        began = time.monotonic()
        child = subprocess.Popen(command, env=dict(os.environ, PYTHONPATH=str(yardstick.HERE)), cwd=folder)
        try:
            while True:
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                    break
                if child.poll() is not None:
                    raise RuntimeError(Path(folder, "log").read_text()[-2000:])
                time.sleep(0.01)
            yield child.pid, time.monotonic() - began
        finally:
            child.kill()
            child.wait()


def cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """MB that a process takes."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def commands(far: Sequence[int], clients: Sequence[socket.socket], seconds: float) -> list[float]:
    """Ask one device after the other; gives the ms from each question to its answer, sorted."""
    found = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for device, client in zip(far, clients, strict=True):
            began = time.monotonic()
            client.sendall(b"?\n")
            select.select([device], [], [], 5)
            os.write(device, b"!" + os.read(device, 100))
            select.select([client], [], [], 5)
            if client.recv(100) != b"!?\n":
                raise RuntimeError("a command was not answered")
            found.append((time.monotonic() - began) * 1000)
            time.sleep(0.005)
    return sorted(found)


def run(devices: int, rate: int, unplugs: int) -> Found:
    """One run with so many devices, which send ``rate`` packets/s together; in the end ``unplugs`` times a hundred go at once."""
    feeder = Child(feed, devices, rate)
    far, asked = zip(*(open_pty() for _ in range(ASKED)), strict=True)
    ports = free_ports(ASKED + 1)
    try:
        with running(ini(feeder.first, asked, ports), ports[-1]) as (pid, start), contextlib.ExitStack() as stack:
            start_cpu = cpu_seconds(pid)
            reader = Child(read, ports[0])
            stack.callback(reader.end)
            clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for port in ports[1:]]
            commands(far, clients, 0.1)  # answered: the reader, who came before, is heard too
            feeder.ask("go")
            time.sleep(SETTLING)
            lost = reader.ask("heard").lost
            began, before = time.monotonic(), cpu_seconds(pid)
            asked_for = commands(far, clients, SECONDS)
            cpu = (cpu_seconds(pid) - before) / (time.monotonic() - began)
            memory = resident(pid)
            lost += reader.ask("heard").lost
            delays = []
            for _ in range(unplugs):
                quiet = []
                for _ in range(4):
                    time.sleep(0.5)
                    quiet.append(reader.ask("heard").longest)
                feeder.ask("unplug", UNPLUGGED)
                time.sleep(0.5)
                delays.append(max(0.0, reader.ask("heard").longest - statistics.median(quiet)))
            sent = feeder.ask("stop")
            time.sleep(0.5)
            while (rest := reader.ask("heard")).packets:
                lost += rest.lost
                time.sleep(0.5)
            last = reader.ask("last")
            lost += sum(count - last.get(device, 0) for device, count in enumerate(sent))
            return Found(start, start_cpu, cpu, memory, lost, asked_for, delays)
    finally:
        feeder.end()
        for each in far:
            os.close(each)


def load_time(devices: int) -> float:
    """Seconds to load the configuration of so many devices."""
    names = [f"/dev/ttyUSB{index}" for index in range(devices)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "gw.ini")
        place.write_text(ini(names, [], [7000]))
        began = time.process_time()
        load(str(place))
        return time.process_time() - began


def row(name: str, one: str, many: str, goal: str, good: bool) -> bool:
    print(f"| {name} | {DEVICES} devices | one device | {one} | {many} | - | {goal} | {'reached' if good else 'NOT REACHED'} |", flush=True)
    return good


def measure(rounds: int) -> bool:
    """Print the lines of the table; whether the goals are reached."""
    load_time(1)
    loads = [statistics.median(load_time(count) for _ in range(rounds)) for count in LOADED]
    in_words = ", ".join(f"{count}: {took:.2f}" for count, took in zip(LOADED, loads, strict=True))
    reached = [row("loading, CPU s", "-", in_words, f"{GOALS['load']:g} s", loads[-1] <= GOALS["load"])]
    alone, many = [], []
    for _ in range(rounds):
        alone.append(run(1, DEVICES * EACH, 0))
        many.append(run(DEVICES, DEVICES * EACH, 5))
    one, all_ = (_middle(found) for found in (alone, many))
    for name, unit, key in (
        ("start to listening", "s", "start"),
        ("start to listening, CPU", "s", "start CPU"),
        ("CPU", "of a core", "CPU"),
        ("memory", "MB", "MB"),
        ("lost packets", "", "lost"),
        ("commands, 99th percentile", "ms", "p99"),
        ("commands, longest", "ms", "longest"),
    ):
        ratio = f" (x {all_[key] / one[key]:.1f})" if one[key] else ""
        reached.append(row(name, f"{one[key]:.4g}", f"{all_[key]:.4g} {unit}{ratio}", f"{GOALS[key]:g}", all_[key] <= GOALS[key]))
    delays = [delay for found in many for delay in found.delays]
    delay, worst = statistics.median(delays), max(delays)
    text = f"{delay:.1f} ms [{min(delays):.1f} - {worst:.1f}]"
    reached.append(row(f"{UNPLUGGED} unplugged at once delay the others", "-", text, f"{GOALS['delay']:g}", delay <= GOALS["delay"]))
    return all(reached)


def _middle(found: Sequence[Found]) -> dict[str, float]:
    """The medians of the rounds; of lost packets the most."""
    return {
        "start": statistics.median(each.start for each in found),
        "start CPU": statistics.median(each.start_cpu for each in found),
        "CPU": statistics.median(each.cpu for each in found),
        "MB": statistics.median(each.memory for each in found),
        "lost": max(each.lost for each in found),
        "p99": statistics.median(each.commands[len(each.commands) * 99 // 100] for each in found),
        "longest": statistics.median(each.commands[-1] for each in found),
    }
