"""``python -m benchmarks [--full] [GROUP ...]``.

In each round the gateway and its peers run one after the other; the result is the median of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import blocked, devices, faults, yardstick


class Group(NamedTuple):
    """Peers that are compared on one workload."""

    name: str
    gateway: str
    peers: tuple[str, ...]
    mode: str
    options: tuple[str, ...]
    field: str
    clients: tuple[int, ...]
    goals: dict[tuple[str, int], float]
    """The highest ratio gateway / peer, by peer and number of clients."""


FLOOD = ("--size", "64", "--mb", "400", "--secs", "2.5")
GROUPS = (
    Group(
        "flood",
        "gateway",
        ("ser2net", "ser2net 64k"),
        "throughput",
        FLOOD,
        "cpu_s_per_M",
        (1, 10, 100),
        {
            ("ser2net", 1): 1 / 20,
            ("ser2net", 10): 1 / 50,
            ("ser2net", 100): 1 / 80,
            ("ser2net 64k", 1): 1.3,
            ("ser2net 64k", 10): 1.2,
            ("ser2net 64k", 100): 1.0,
        },
    ),
    Group(
        "latency",
        "gateway",
        ("ser2net",),
        "latency",
        ("--size", "64", "--pps", "1000", "--secs", "3"),
        "lat_p50_us",
        (1, 10, 100),
        {("ser2net", 1): 1.0, ("ser2net", 10): 1.0, ("ser2net", 100): 0.6},
    ),
    Group(
        "websocket",
        "gateway ws",
        ("sendMessage",),
        "throughput",
        ("--proto", "ws", "--ws-newline", *FLOOD),
        "cpu_s_per_M",
        (1, 10, 100),
        {("sendMessage", 1): 1 / 5, ("sendMessage", 10): 1 / 30, ("sendMessage", 100): 1 / 60},
    ),
    # Beside the yardstick's own gateway in C, which does nothing but this: what is left of Python's cost.
    Group("C flood", "gateway", ("C",), "throughput", FLOOD, "cpu_s_per_M", (1, 10, 100), {("C", 1): 1.4, ("C", 10): 1.3, ("C", 100): 1.2}),
    Group(
        "C p99 at 20000/s",
        "gateway",
        ("C",),
        "latency",
        ("--size", "64", "--pps", "20000", "--secs", "3"),
        "lat_p99_us",
        (100,),
        {("C", 100): 2.0},
    ),
    Group(
        "C ws p99",
        "gateway ws",
        ("C ws",),
        "latency",
        ("--proto", "ws", "--ws-newline", "--size", "64", "--pps", "1000", "--secs", "3"),
        "lat_p99_us",
        (10,),
        {("C ws", 10): 1.7},
    ),
)
MEMORY = (
    ("gateway", ("--proto", "tcp"), 2.5, 64),
    ("gateway ws", ("--proto", "ws", "--ws-newline"), 10.0, 80),
    ("gateway tls", ("--proto", "tls"), 35.0, 64),
)
OURS = {"blocked": blocked.measure, "faults": faults.measure, "devices": devices.measure}
"""Groups that need no fanbench."""


def compare(group: Group, rounds: int, clients: Sequence[int]) -> bool:
    """Measure one group and print a line for each peer and number of clients. Returns whether every goal was reached."""
    reached = True
    for count in clients:
        values: dict[str, list[float]] = {name: [] for name in (group.gateway, *group.peers)}
        for _ in range(rounds):
            for name in values:
                result = yardstick.run(name, group.mode, "--clients", str(count), *group.options)
                if not result.get("ok"):
                    print(f"{group.name:<10} {name} with {count} clients lost something: {result}")
                values[name].append(float(result[group.field]))
        for peer in group.peers:
            ratios = [mine / theirs for mine, theirs in zip(values[group.gateway], values[peer], strict=True) if theirs]
            ratio, goal = statistics.median(ratios), group.goals[peer, count]
            good = ratio <= goal
            reached &= good
            mine, theirs = statistics.median(values[group.gateway]), statistics.median(values[peer])
            print(
                f"| {group.name} | {count} | {peer} | {theirs:.4g} | {mine:.4g} | {as_ratio(ratio)} [{as_ratio(min(ratios))} -"
                f" {as_ratio(max(ratios))}] "
                f"| {as_ratio(goal)} | {'reached' if good else 'NOT REACHED'} |",
                flush=True,
            )
    return reached


def memory(clients: int) -> bool:
    """Measure the base memory and the memory per idle connection. Returns whether every goal was reached."""
    reached = True
    for name, protocol, per_connection, at_rest in MEMORY:
        result: dict[str, Any] = yardstick.run(name, "idle", "--clients", str(clients), *protocol)
        mine, start = float(result["rss_kb_per_conn"]), float(result["rss0_kb"]) / 1024
        good = mine <= per_connection and start <= at_rest
        reached &= good
        print(
            f"| memory | {clients} | {protocol[1]} | base {start:.1f} MB (goal {at_rest}) | {mine:.2f} kB a connection | - |"
            f" {per_connection} | {'reached' if good else 'NOT REACHED'} |",
            flush=True,
        )
    return reached


def slow(rounds: int) -> bool:
    """Measure how much one client that never reads slows down ten others, over 50 MB. Returns whether the goal was reached."""
    ratios = []
    for _ in range(rounds):
        alone = yardstick.run("gateway slow", "throughput", "--clients", "10", "--mb", "50", "--secs", "60")
        beside = yardstick.run("gateway slow", "slow", "--clients", "11", "--mb", "50", "--secs", "60")
        if beside["stalled"] or not beside["slow_closed"]:
            print(f"slow reader: {beside}")
        ratios.append(float(beside["in_MBps"]) / float(alone["in_MBps"]))
    ratio = statistics.median(ratios)
    good = ratio >= 0.9
    spread = f"{ratio:.2f} [{min(ratios):.2f} - {max(ratios):.2f}]"
    print(
        f"| slow reader | 10 + 1 | itself without it | - | - | {spread} of the rate | >= 0.9 | {'reached' if good else 'NOT REACHED'} |",
        flush=True,
    )
    return good


def write(rounds: int) -> bool:
    """Let ten clients write 40 MB, cut at odd places: count corrupt packets, and compare the rate. Returns whether none was corrupt."""
    rates: dict[str, list[float]] = {"gateway": [], "ser2net": []}
    corrupt = {"gateway": 0, "ser2net": 0}
    for _ in range(rounds):
        for name in rates:
            result = yardstick.run(name, "write", "--clients", "10", "--mb", "40", "--secs", "60")
            rates[name].append(float(result["in_MBps"]))
            corrupt[name] += int(result["corrupt"]) + int(result["disorder"])
    ratio = statistics.median(mine / theirs for mine, theirs in zip(rates["gateway"], rates["ser2net"], strict=True))
    good = corrupt["gateway"] == 0
    mine, theirs = (f"{statistics.median(rates[name]):.1f} MB/s, {corrupt[name]} corrupt" for name in ("gateway", "ser2net"))
    print(f"| write | 10 | ser2net | {theirs} | {mine} | {ratio:.2f} | 0 corrupt | {'reached' if good else 'NOT REACHED'} |", flush=True)
    return good


def as_ratio(value: float) -> str:
    """Write a small ratio as a fraction: ``1/50``."""
    return f"1/{1 / value:.0f}" if 0 < value < 0.34 else f"{value:.2f}"


def main() -> int:
    arguments = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    arguments.add_argument("--full", action="store_true", help="five rounds instead of one")
    arguments.add_argument("--rounds", type=int)
    names = ", ".join([group.name for group in GROUPS] + ["memory", "slow", "write", *OURS])
    arguments.add_argument("groups", nargs="*", help=names)
    given = arguments.parse_args()
    rounds = given.rounds or (5 if given.full else 1)
    groups = [group for group in GROUPS if not given.groups or group.name in given.groups]
    if shutil.which("ser2net") is None:
        print("ser2net is not installed (apt-get install ser2net): what is measured against it is left out")
        groups = [group for group in groups if "ser2net" not in group.peers]
    if not given.groups or set(given.groups) - set(OURS):
        try:
            yardstick.build()
        except FileNotFoundError as error:
            print(error)
            return 1
    print(f"{rounds} round{'s' if rounds > 1 else ''}; CPU in s per million packets delivered, latency in us\n")
    print("| workload | clients | peer | the peer's | ours | ratio [lowest - highest] | goal | |")
    print("|---|---|---|---|---|---|---|---|")
    reached = [compare(group, rounds, group.clients) for group in groups]
    if not given.groups or "memory" in given.groups:
        reached.append(memory(1000))
    if not given.groups or "slow" in given.groups:
        reached.append(slow(rounds))
    if (not given.groups or "write" in given.groups) and shutil.which("ser2net"):
        reached.append(write(rounds))
    for name, measure in OURS.items():
        if not given.groups or name in given.groups:
            reached.append(measure(rounds))
    return 0 if all(reached) else 2


if __name__ == "__main__":
    sys.exit(main())
