"""What the program counts, against its ledger, its neighbours, and what the simulated world has seen."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from .journal import UNTOLD
from .scene import Scene
from .world import BEGIN, BrokenError

CAUSED = frozenset(("dropped_packets", "slow_disconnects", "unsent_bytes", "disconnected"))
"""Events that an event can cause."""
LAG = 4
"""Seconds within which a good client has what was read."""


class Books:
    """Of one run. It keeps what was some seconds ago."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.past: deque[dict[str, int]] = deque(maxlen=LAG)
        self.waits: dict[Any, float] = {}
        """Since when a descriptor has something that nobody reads."""
        self.unused = 0.0

    def look(self) -> None:
        """Raises BrokenError."""
        scene = self.scene
        for name, link in scene.sim.links.items():
            self._link(name, link)
        for name, ear in scene.ears.items():
            counters = Counter({event: n for event, n in scene.sim.links[name].counters.items() if event not in UNTOLD})
            told = ear.happened + ear.before
            # What an event itself causes is counted and not told; whom it is for has no room.
            exact = {event: n for event, n in counters.items() if event not in CAUSED}
            if told - counters or +Counter({event: told[event] for event in exact}) != +Counter(exact):
                raise BrokenError(f"[{name}] counts {dict(counters)}, and tells {dict(ear.happened)}")
        if scene.sim.stopping is None:
            self._devices()
            self._unexpected()
            self._witnesses()
            self._far()
            self._unread()
        self._trace()
        self.past.append(self._now())

    def _now(self) -> dict[str, int]:
        """What is looked back at, some seconds later."""
        scene, links = self.scene, self.scene.sim.links
        now = {f"read for {name}": len(journal.packets) for name, journal in scene.journals.items()}
        now |= {f"dropped {name}": link.counters["dropped_packets"] for name, link in links.items()}
        now |= {f"out {name}": link.counters["packets_out"] for name, link in links.items()}
        now |= {f"said {client.name}": client.number for client in scene.witnesses}
        return now

    def _link(self, name: str, link: Any) -> None:
        counters, accounts = link.counters, self.scene.accounts[name]

        def same(what: str, one: int, other: int) -> None:
            if one != other:
                raise BrokenError(f"[{name}] {what}: {one} and {other}; {dict(counters)}, {accounts}")

        counted = self.scene.counted.get(name)
        counted_junk = counted.junk if counted is not None else 0
        same("packets out, and written", counters["packets_out"], accounts["written"])
        dropped = sum(count for reason, count in accounts.items() if reason.startswith("dropped_"))
        same("dropped, and in the ledger", counters["dropped_packets"], dropped)
        same("sessions, and those that came and did not go", len(link.sessions), counters["connected"] - counters["disconnected"])
        same("refused while absent", counters["refused_packets"], link.ledger.absent.refused)
        if counters["bad_packets"] > counted_junk:
            raise BrokenError(f"[{name}] counts {counters['bad_packets']} bad packets, and {counted_junk} were said")
        spoken = counted.said if counted is not None else 0
        if name == "raw" and (counters["packets_in"] or bool(counters["unheard_bytes"]) != bool(counters["unheard"])):
            raise BrokenError(f"[{name}] nobody hears it, and it counts {dict(counters)}")
        if name == "raw" and spoken * 6 > counters["unheard_bytes"] + 2000:
            raise BrokenError(f"[{name}] {spoken} packets were said, and it counts {dict(counters)}")
        said = self.scene.traced.said.get(name, ())
        for word, event in (("dropped", "dropped_packets"), ("refused", "refused_packets"), ("refused", "refused_sessions")):
            if counters[event] and word not in said:
                raise BrokenError(f"[{name}] {event}: {counters[event]}, and nobody was told")
        if counters["disconnected"] and "gone: " not in said and link.how.listens:
            raise BrokenError(f"[{name}] {counters['disconnected']} clients have gone, and nobody was told")
        if self.scene.sim.stopping is None and len(link._told) > len(link.runtime.bus._addresses):
            raise BrokenError(f"[{name}] remembers {len(link._told)} addresses that it has told something")
        if len(link.sessions) > link.options.max_sessions:
            raise BrokenError(f"[{name}] has {len(link.sessions)} sessions of {link.options.max_sessions}")
        for session in link.sessions:
            there = link.runtime.bus._addresses.get(session.id)
            if there is not session and session.state.value not in ("ended",):
                raise BrokenError(f"nobody finds {session!r} at its address")
        if counted is None:
            return
        if counters["connected"] > counted.visits:
            raise BrokenError(f"[{name}] counts {counters['connected']} sessions, and {counted.visits} came")
        if counted.got > counters["packets_out"]:
            raise BrokenError(f"[{name}] counts {counters['packets_out']} packets out, and clients have {counted.got}")
        if counters["packets_in"] > counted.said:
            raise BrokenError(f"[{name}] counts {counters['packets_in']} packets in, and {counted.said} were said")

    def _devices(self) -> None:
        scene, setting = self.scene, self.scene.setting
        links, heard = scene.sim.links, bool(scene.journals)
        for device in scene.devices:
            link, source = links[device.name], device.source
            if heard and (link.counters["packets_in"], link.counters["bytes_in"]) != (source.packets, source.bytes):
                raise BrokenError(
                    f"[{device.name}] counts {dict(link.counters)}; read were {source.packets} packets of {source.bytes} bytes"
                )
            out = link.counters["packets_out"]
            gone = device.heard + device.torn + device.cut + link.counters["unsent_bytes"]
            if device.heard > out:
                raise BrokenError(f"{device.name} has heard {device.heard} commands, and {out} were written")
            quiet = "xoff" not in scene.faults
            if quiet and len(self.past) == LAG and self.past[0][f"out {device.name}"] > gone:
                raise BrokenError(f"{device.name} has {device.heard} commands some seconds after {out} were written")
        asked = sum(link.counters["packets_in"] for name, link in links.items() if name in (*scene.journals,) and name != "raw")
        came = scene.accounts["dev0"].get("came", 0)
        if came != asked:
            raise BrokenError(f"{asked} commands were heard, and {came} came to the device")
        self._open(setting.while_used)

    def _open(self, while_used: bool) -> None:
        """A device that is there, and wanted, is open, and one that nobody wants is not."""
        scene, now = self.scene, self.scene.sim.world.now
        others = [link for name, link in scene.sim.links.items() if not name.startswith("dev")]
        used = any(link.sessions for link in others)
        if used == (self.unused > 0):
            self.unused = 0.0 if used else now
            self.changed = now
        for device in scene.devices:
            tty = device.uart.tty
            settled = now - max(device.plugged, getattr(self, "changed", BEGIN)) > 6
            if not settled or "files" in scene.faults:
                continue
            if device.there and tty is None and (used or not while_used):
                raise BrokenError(f"{device.name} is there and wanted, and is not open")
            if tty is not None and while_used and not used and "xoff" not in scene.faults:
                raise BrokenError(f"nobody wants {device.name}, and it is open")

    def _unexpected(self) -> None:
        """What cannot have happened in this setting."""
        scene, setting, faults = self.scene, self.scene.setting, self.scene.faults
        never = {"unsayable_packets", "oversize", "failures", "writer_failures"}
        if "junk" not in faults:
            never.add("bad_packets")
        if "unheard" not in faults:
            never.add("unheard")
        if setting.sessions == 1000:
            never.add("refused_sessions")
        if not setting.idle:
            never.add("idle")
        if setting.when_full != "disconnect":
            never.add("slow_disconnects")
        if not faults & {"stuck", "vanish", "xoff", "away"}:
            never.add("stalled")
        if not faults & {"vanish", "reset", "stuck", "away", "shut"} and setting.when_full != "block":
            never.add("vanished")
        if setting.when_absent == "hold":
            never.add("refused_packets")
        for name, link in scene.sim.links.items():
            for event in never:
                if link.counters[event]:
                    raise BrokenError(f"[{name}] {event}: {link.counters[event]}, in this setting")
            dropped = scene.accounts[name]
            if "dropped_memory" in dropped and setting.memory >= 1 << 26:
                raise BrokenError(f"[{name}] has dropped packets for memory, of which there is enough")
            if "dropped_full" in dropped and link.options.outbox.when_full == "block":
                raise BrokenError(f"[{name}] has dropped packets, and is to block")
            busy = (
                setting.idle
                and setting.every < setting.idle / 3
                and not faults & {"unplug", "stuck", "vanish", "small", "tiny", "baud", "slow"}
            )
            if busy and setting.when_full != "block" and link.counters["idle"]:
                raise BrokenError(f"[{name}] has ended busy sessions as idle")

    def _witnesses(self) -> None:
        scene, now = self.scene, self.scene.sim.world.now
        if len(self.past) < LAG or 0 < scene.setting.idle < 2 * scene.setting.every:
            return  # or they are ended as idle between two packets
        before = self.past[0]
        for client in scene.witnesses:
            link = client.place_name
            counters = scene.sim.links[link].counters
            served = client.peer is not None and client.form is not None and client.form.opened and client.peer.opened
            if client.peer is None or now - client.since < LAG + 2 or client.came > client.since:
                continue
            if not served:
                raise BrokenError(f"{client.name} is not served")
            quiet = counters["dropped_packets"] == before[f"dropped {link}"]
            reading = client.reading
            if quiet and reading is not None and reading.place < before[f"read for {link}"]:
                raise BrokenError(f"{client.name} has not got what was read {LAG} s ago")
            if client.story is not None:
                self._answers(client)
            if self.scene.setting.commands and client.visits == 1 and link != "raw":
                self._asked(client, before[f"said {client.name}"])

    def _answers(self, client: Any) -> None:
        story, device = client.story, self.scene.devices[0]
        if story.gaps != client.reading.gaps and len(self.scene.devices) == 1:
            raise BrokenError(f"{client.name} misses {client.reading.gaps} packets, and by their numbers {story.gaps}")
        asker = client.name.encode()
        known = device.commands.get(asker, 0) - device.missed.get(asker, 0) + client.refused_before + story.refused
        if known > client.number:
            raise BrokenError(f"{client.name} has said {client.number} commands; {known} were taken or refused")

    def _asked(self, client: Any, said: int) -> None:
        """What a good client has said some seconds ago has reached the device, or waits, or somebody counts what became of it."""
        device, dev = self.scene.devices[0], self.scene.sim.links["dev0"]
        accounts, asker = self.scene.accounts["dev0"], client.name.encode()
        tty = device.uart.tty
        lost = device.cut + device.torn + dev.counters["dropped_packets"] + accounts.get("waiting", 0)
        lost += bytes(tty.outgoing).count(b"\n") if tty is not None else 0
        refused = client.refused_before + client.story.refused if client.story is not None else accounts.get("refused", 0)
        taken = device.commands.get(asker, 0) - device.missed.get(asker, 0)
        clean = not dev.counters["unsent_bytes"] and self.scene.setting.when_full != "block" and "files" not in self.scene.faults
        if clean and not any(session.paused or session.writer.waiting for session in dev.sessions) and said > taken + lost + refused:
            raise BrokenError(
                f"{client.name} said {said} commands some seconds ago; {taken} were taken, {refused} refused, {lost} lost in all"
            )

    def _far(self) -> None:
        far, now, scene = self.scene.far, self.scene.sim.world.now, self.scene
        if far is None or far.peer is None or "files" in scene.faults or len(self.past) < LAG:
            return
        quiet = scene.sim.links["far"].counters["dropped_packets"] == self.past[0]["dropped far"]
        if now - far.since > LAG + 40 and quiet and far.peer.reading and far.reading.place < self.past[0]["read for far"]:
            raise BrokenError(f"the far end has not got what was read {LAG} s ago")

    def _unread(self) -> None:
        """What has come is read, but for a while, or where somebody has no room."""
        scene = self.scene
        now, waits, self.waits = scene.sim.world.now, self.waits, {}
        for session in [session for link in scene.sim.links.values() for session in link.sessions]:
            transport = session.writer.transport
            number = transport.fileno() if hasattr(transport, "fileno") else -1
            handle = scene.sim.reactor.handle_of(number)
            if handle is not None and handle.readable and not session.paused and session.state.value == "open":
                self.waits[session] = waits.get(session, now)
                if now - self.waits[session] > 3:
                    raise BrokenError(f"{session!r} has been given something, and does not read it")

    def _trace(self) -> None:
        scene = self.scene
        if scene.setting.trace == "off":
            return
        if scene.setting.trace_rate:
            lines = len(scene.traced.traced["received"]) + len(scene.traced.traced["write"])
            seconds = scene.sim.world.now - BEGIN
            most = scene.setting.trace_rate * (seconds + 1)
            left = scene.sim.links["dev0"].counters["untraced_packets"]
            if (
                lines > most
                or (len(scene.own["dev0"].packets) > 2 * most and lines < most / 2)
                or lines + left < len(scene.own["dev0"].packets)
            ):
                raise BrokenError(f"{lines} packets are traced in {seconds} s, and {left} are not")
            return
        traced, read = scene.traced.traced, scene.own["dev0"].packets
        if scene.setting.longest < 300 and not scene.faults & {"noise", "baud"} and traced["received"] != read:
            raise BrokenError(f"{len(traced['received'])} packets are traced, and {len(read)} were read")
        accounts = scene.accounts["dev0"]
        if not accounts.get("written", 0) <= len(traced["write"]) + accounts.get("waiting", 0) + 10_000 * (
            scene.setting.when_absent == "hold"
        ):
            raise BrokenError(f"{len(traced['write'])} packets are traced as to be written, and {accounts} are for the device")
        if len(traced["write"]) > accounts.get("came", 0):
            raise BrokenError(f"{len(traced['write'])} packets are traced as to be written, and {accounts} are for the device")
