"""A setting, played: the program with its configuration, its devices and clients, and the faults at their times."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from .actors import Client, Counted, Device, Habits
from .forms import Form, Lines, Tls, WebSocket, certificate
from .gateway import Simulated
from .journal import Journal, Reading
from .setting import Setting
from .sockets import Peer

_FORMS: dict[str, Callable[[], Form]] = {
    "lan": Lines,
    "raw": lambda: Lines(b"\r\n"),
    "web": WebSocket,
    "secure": lambda: Tls(Lines()),
    "local": Lines,
}
_FAR = "far.example"


class Scene:
    """Everything that is in one run."""

    def __init__(self, sim: Simulated, setting: Setting) -> None:
        self.sim = sim
        self.setting = setting
        self.faults = setting.faults
        self.chance = sim.world.chance("scene")
        self.journals: dict[str, Journal] = {}
        self.counted: dict[str, Counted] = {}
        self.devices: list[Device] = []
        self.clients: list[Client] = []
        self.far: FarEnd | None = None
        self.events_before = 0
        self._set_network()
        self._make_devices()
        sim.start(self.ini())
        sim.service.runtime.memory.limit = setting.memory  # less than an INI file may say
        self._make_clients()
        if setting.far:
            self.far = FarEnd(self)
        self._plan_faults()

    def ini(self) -> str:
        """The configuration."""
        setting, folder = self.setting, self.sim.folder
        names = [f"dev{number}" for number in range(setting.devices)]
        heard = ", ".join(names)
        limits = f"outbox.when_full = {setting.when_full}\noutbox.bytes = {setting.outbox}\n"
        rows = ["[gateway]", f"memory = {max(setting.memory, 1 << 20)}"]
        for number, name in enumerate(names):
            device = "usb:0403:6001:SIM" if not number else f"/dev/ttyS{number}"
            rows += [f"[{name}]", f"device = {device}", "baudrate = 115200", "framing = lines", f"when_absent = {setting.when_absent}"]
        both = "\n".join(f"attach = {names[0]}\n" + (f"subscribe = {', '.join(names[1:])}\n" if names[1:] else "") for _ in range(1))
        links = {
            "lan": f"listen = 127.0.0.1:7000\nframing = lines\n{both}{limits}",
            "raw": f"listen = 127.0.0.1:7001\nsubscribe = {heard}\n{limits}",
            "web": f"transport = websocket\nlisten = 127.0.0.1:8080\n{both}{limits}",
            "secure": f"listen = 127.0.0.1:7443\ntls = site\nframing = lines\n{both}{limits}",
            "local": f"transport = unix\nlisten = {folder}/local.sock\nframing = lines\n{both}{limits}",
        }
        used = [name for name in links if name in setting.readers]
        for name in used:
            rows += [f"[{name}]", links[name]]
        if setting.far:
            rows += [
                "[far]",
                f"connect = {_FAR}:9000",
                "framing = lines",
                f"subscribe = {heard}",
                f"when_absent = {setting.when_absent}",
                limits,
            ]
        if "secure" in used:
            rows += ["[tls site]", f"certificate = {certificate()}/site.pem", f"private_key = {certificate()}/site.key"]
        return "\n".join(rows) + "\n"

    def _set_network(self) -> None:
        network, faults = self.sim.network, self.faults
        if "short" in faults:
            network.short_reads, network.short_sends = 0.3, 0.1
        if "delay" in faults:
            network.delays = lambda chance: chance.choice((0.0, 0.0001, 0.002, 0.05))
        if "small" in faults:
            network.buffers = (2048, 4096, 65536)
        network.on_accept = _accepted
        self.sim.names.hosts[_FAR] = ("192.0.2.1",)

    def _make_devices(self) -> None:
        setting = self.setting
        used = [*dict.fromkeys(setting.readers), *(["far"] if setting.far else [])]
        self.journals = {name: Journal(name) for name in used}
        for number in range(setting.devices):
            path = "/dev/ttyUSB0" if not number else f"/dev/ttyS{number}"
            device = Device(self.sim, f"dev{number}", path, list(self.journals.values()), setting.every, setting.longest)
            if not number:
                self.sim.devices.name("usb:0403:6001:SIM", device.uart)
            device.noise = 0.01 if "noise" in self.faults else 0.0
            device.pieces = 0.5 if "pieces" in self.faults else 0.0
            device.echoes = "echo" in self.faults
            device.begins_torn = "head" in self.faults
            self.devices.append(device)
            device.start()

    def _make_clients(self) -> None:
        setting, faults = self.setting, self.faults
        ends = ("close", "close", *(fault for fault in ("reset", "shut", "vanish") if fault in faults))
        places: dict[str, Any] = {
            "lan": ("127.0.0.1", 7000),
            "raw": ("127.0.0.1", 7001),
            "web": ("127.0.0.1", 8080),
            "secure": ("127.0.0.1", 7443),
            "local": f"{self.sim.folder}/local.sock",
        }
        for number, link in enumerate(setting.readers):
            counted = self.counted.setdefault(link, Counted())
            commands = 0.0 if link == "raw" else setting.commands
            habits = Habits(
                ends=ends, commands=commands, pieces=0.5 if "pieces" in faults else 0.0, stuck=30.0 if "stuck" in faults else 0.0
            )
            if number % 2:
                habits.stays, habits.away = 60.0, 5.0
            client = Client(self.sim, f"{link}{number}", places[link], self.journals[link], _FORMS[link], habits, counted)
            self.clients.append(client)
            client.start()

    # Faults that have their times

    def _plan_faults(self) -> None:
        for fault, (every, act) in {
            "flap": (6.0, self._flap),
            "unplug": (300.0, self._unplug),
            "xoff": (200.0, self._stop_taking),
            "flood": (400.0, self._flood),
            "files": (500.0, self._run_out_of_files),
            "wall": (600.0, self._jump),
            "baud": (500.0, self._set_wrong),
            "slow": (120.0, self._slow_down),
            "names": (300.0, self._forget_names),
            "usr2": (100.0, self._ask),
        }.items():
            if fault in self.faults:
                self._often(self.sim.world.chance(fault), every, act)
        if "term" in self.faults:
            self.sim.world.at(self.setting.seconds * (0.2 + 0.7 * self.chance.random()), self.sim.term)

    def _often(self, chance: Random, every: float, act: Callable[[Random], None]) -> None:
        def again() -> None:
            act(chance)
            self.sim.world.at(chance.expovariate(1 / every), again)

        self.sim.world.at(chance.expovariate(1 / every), again)

    def _unplug(self, chance: Random) -> None:
        device = chance.choice(self.devices)
        if not device.uart.is_there:
            return
        device.unplug()
        path = device.uart.path
        if "elsewhere" in self.faults and device is self.devices[0]:
            path = f"/dev/ttyUSB{int(chance.random() * 4)}"
        self.sim.world.at(0.5 + chance.expovariate(1 / 10), device.plug, path)

    def _flap(self, chance: Random) -> None:
        """It is back before anybody has noticed that it was away."""
        device = chance.choice(self.devices)
        if device.uart.is_there:
            device.unplug()
            device.plug()

    def _stop_taking(self, chance: Random) -> None:
        uart = chance.choice(self.devices).uart
        uart.stop()
        self.sim.world.at(chance.expovariate(1 / 30), uart.go_on)

    def _flood(self, chance: Random) -> None:
        chance.choice(self.devices).flood(int(chance.random() * 8000))

    def _run_out_of_files(self, chance: Random) -> None:
        network = self.sim.network
        network.short_of_files = True
        self.sim.world.at(chance.expovariate(1 / 5), setattr, network, "short_of_files", False)

    def _jump(self, chance: Random) -> None:
        self.sim.world.wall_offset += int(chance.choice((-1, 1)) * chance.expovariate(1 / 3600) * 1e9)

    def _set_wrong(self, chance: Random) -> None:
        device = chance.choice(self.devices)
        device.garbled = True
        self.sim.world.at(chance.expovariate(1 / 20), setattr, device, "garbled", False)

    def _slow_down(self, chance: Random) -> None:
        """Somebody reads for a moment once a second, for a while."""
        peer, world = chance.choice(self.clients).peer if self.clients else None, self.sim.world
        if peer is not None:
            for second in range(20):
                world.at(second, peer.pause)
                world.at(second + 0.9, peer.resume)

    def _forget_names(self, chance: Random) -> None:
        names = self.sim.names
        names.delay = chance.choice((0.0, 0.01, 5.0))
        names.hosts[_FAR] = chance.choice(((), ("192.0.2.1",), ("192.0.2.9", "192.0.2.1")))

    def _ask(self, chance: Random) -> None:
        if self.sim.stopping is None:
            self.sim.service.report()


class FarEnd:
    """A server that the program dials; it reads, comes, goes and stops taking."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.chance = scene.sim.world.chance("far")
        self.counted = scene.counted.setdefault("far", Counted())
        self.peer: Peer | None = None
        self._reading: Reading | None = None
        self._open()
        if "away" in scene.faults:
            scene._often(self.chance, 200.0, self._leave)

    def _open(self) -> None:
        self.scene.sim.network.servers["192.0.2.1", 9000] = self._comes

    def _comes(self, peer: Peer) -> None:
        self.peer = peer
        self.counted.visits += 1
        form, journal, keeps = Lines(), self.scene.journals["far"], "cut" in self.scene.faults
        if not keeps or self._reading is None:
            self._reading = Reading(journal, 0)
        reading = self._reading

        def got(packet: bytes) -> None:
            if keeps and reading.got_again(packet):
                return
            gaps = reading.gaps
            reading.got_packet(packet, exact=False)
            self.counted.got += 1
            self.counted.gaps += reading.gaps - gaps

        form.packet = got
        peer.on_data = form.feed
        peer.on_end = lambda kind: peer.close() if kind == "eof" else None

    def _leave(self, chance: Random) -> None:
        peer, world = self.peer, self.scene.sim.world
        how = chance.choice(("close", "reset", "vanish", "stuck"))
        if peer is not None and how == "stuck":
            peer.pause()
            world.at(chance.expovariate(1 / 20), peer.resume)
            return
        self.scene.sim.network.servers.clear()
        world.at(chance.expovariate(1 / 20), self._open)
        if peer is not None:
            {"close": peer.close, "reset": peer.reset, "vanish": peer.lose_path}[how]()


def _accepted(peer: Peer) -> None:
    client = getattr(peer, "client", None)
    if client is not None:
        client.accepted()
