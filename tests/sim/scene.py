"""A setting, played: the program with its configuration, its devices and clients, and the faults at their times."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from .actors import Client, Counted, Device, Habits
from .far import PLACE, FarEnd
from .forms import Form, Json, Lines, Tls, WebSocket
from .gateway import Simulated
from .ini import FAR, ini
from .journal import Ear, Journal, Log
from .setting import Setting
from .sockets import Peer

_FORMS: dict[str, Callable[[], Form]] = {
    "lan": Lines,
    "raw": lambda: Lines(b"\r\n"),
    "web": WebSocket,
    "json": Json,
    "secure": lambda: Tls(Lines()),
    "local": Lines,
}


class Scene:
    """Everything that is in one run."""

    def __init__(self, sim: Simulated, setting: Setting) -> None:
        self.sim = sim
        self.setting = setting
        self.faults = setting.faults
        self.chance = sim.world.chance("scene")
        self.journals: dict[str, Journal] = {}
        self.own: dict[str, Journal] = {}
        """For each device what the program has read from it."""
        self.counted: dict[str, Counted] = {}
        self.devices: list[Device] = []
        self.clients: list[Client] = []
        self.witnesses: list[Client] = []
        """Those who stay, and want everything."""
        self.far: FarEnd | None = None
        self.events_before = 0
        self.accounts: dict[str, dict[str, int]] = {}
        """For each link what became of its packets, at the last look."""
        self.books: Any = None
        """What the laws remember."""
        self.traced = sim.world.log = Log("dev0")
        self._set_network()
        self._make_devices()
        sim.start(ini(setting, sim.folder))
        sim.service.runtime.memory.limit = setting.memory  # less than an INI file may say
        bus = sim.service.runtime.bus
        self.ears = {name: Ear(name, link.counters) for name, link in sim.links.items() if "json" in self.journals}
        for name, ear in self.ears.items():
            bus.subscribe([f"{name}/$events"], ear.hear, f"what happens at {name}")
        self._make_clients()
        if setting.far:
            counted = self.counted.setdefault("far", Counted())
            self.far = FarEnd(sim, self.journals["far"], counted, setting.commands, "cut" in self.faults)
            if "away" in setting.faults:
                self.far.come_and_go(self._often, setting.hurry)
        self._plan_faults()

    def _set_network(self) -> None:
        network, faults = self.sim.network, self.faults
        if "short" in faults:
            network.short_reads, network.short_sends = 0.3, 0.1
        if "delay" in faults:
            network.delays = lambda chance: chance.choice((0.0, 0.0001, 0.002, 0.05))
        if "small" in faults:
            network.buffers = (2048, 4096, 65536)
        if "tiny" in faults:
            network.buffers = (512,)
        network.on_accept = _accepted
        self.sim.names.hosts[FAR] = (PLACE[0],)

    def _make_devices(self) -> None:
        setting = self.setting
        used = [*dict.fromkeys((*setting.readers, *setting.witnesses)), *(["far"] if setting.far else [])]
        self.journals = {name: Journal(name) for name in used}
        for number in range(setting.devices):
            path = "/dev/ttyUSB0" if not number else f"/dev/ttyS{number}"
            own = self.own[f"dev{number}"] = Journal(f"dev{number}")
            journals = [own, *self.journals.values()]
            device = Device(self.sim, f"dev{number}", path, journals, setting.every, setting.longest)
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
            "json": ("127.0.0.1", 8081),
            "secure": ("127.0.0.1", 7443),
            "local": f"{self.sim.folder}/local.sock",
        }
        for number, link in enumerate((*setting.readers, *setting.witnesses)):
            counted = self.counted.setdefault(link, Counted())
            stays, hurry = number >= len(setting.readers), setting.hurry
            habits = Habits(
                stays=0.0 if stays else (60.0 if number % 2 else 600.0) / hurry,
                away=0.1 if stays else (5.0 if number % 2 else 30.0) / hurry * setting.away,
                commands=0.0 if link == "raw" and "unheard" not in faults else setting.commands,
                junk=0.3 if "junk" in faults else 0.0,
                command_size=setting.command_size,
                pieces=0.5 if "pieces" in faults else 0.0,
                ends=ends,
                stuck=30.0 * hurry if "stuck" in faults and not stays else 0.0,
            )
            name = f"{link}{number}-stays" if stays else f"{link}{number}"
            client = Client(self.sim, name, places[link], self.journals[link], _FORMS[link], habits, counted)
            self.clients.append(client)
            if stays:
                self.witnesses.append(client)
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
            self.sim.world.at(chance.expovariate(self.setting.hurry / every), again)

        self.sim.world.at(chance.expovariate(self.setting.hurry / every), again)

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
        """Somebody who comes and goes reads for a moment once a second, for a while."""
        comers = [client for client in self.clients if client not in self.witnesses]
        peer, world = chance.choice(comers).peer if comers else None, self.sim.world
        if peer is not None:
            for second in range(20):
                world.at(second, peer.pause)
                world.at(second + 0.9, peer.resume)

    def _forget_names(self, chance: Random) -> None:
        names = self.sim.names
        names.delay = chance.choice((0.0, 0.01, 5.0))
        names.hosts[FAR] = chance.choice(((), (PLACE[0],), ("192.0.2.9", PLACE[0])))

    def _ask(self, chance: Random) -> None:
        if self.sim.stopping is None:
            self.sim.service.report()


def _accepted(peer: Peer) -> None:
    client = getattr(peer, "client", None)
    if client is not None:
        client.accepted()
