"""The command line, and the order in which links start and stop."""

from __future__ import annotations

import gc
import io
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from gateway import service
from gateway.config.load import load
from gateway.config.plan import LinkOptions
from gateway.ledger import Ledger
from gateway.net.listeners import ListenError
from gateway.service import GatewayService, Options, makeService, raise_open_files

BRIDGE = "[scale]\ndevice = /dev/nonesuch\n[lan]\nlisten = 127.0.0.1:0\nattach = scale\n"


class CommandLineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.ini = Path(self.mktemp())

    def parse(self, text: str, *more: str) -> Options:
        self.ini.write_text(text)
        options = Options()
        options.parseOptions(["--config", str(self.ini), *more])
        return options

    def test_good(self) -> None:
        """A good file becomes a checked configuration."""
        self.assertEqual(list(self.parse(BRIDGE)["config"].links), ["scale", "lan"])

    def test_mistakes(self) -> None:
        """All mistakes at once, each with file and line, on standard error; exit status 78."""
        error = self.assertRaises(SystemExit, self.parse, BRIDGE + "badurate = 1\n[x]\nlisten = nowhere\n")
        self.assertEqual(error.code, 78)
        self.assertIn(f"{self.ini}:6: [lan] badurate: unknown option", self.err.getvalue())
        self.assertIn(f"{self.ini}:8: [x] listen: 'nowhere' is not an address", self.err.getvalue())
        self.assertNotIn("Traceback", self.err.getvalue())

    def test_missing_file(self) -> None:
        """A file that is not there is one line and exit status 78."""
        error = self.assertRaises(SystemExit, Options().parseOptions, ["--config", "/nonexistent/gw.ini"])
        self.assertEqual((error.code, self.err.getvalue().count("\n")), (78, 1))

    def test_no_option(self) -> None:
        """A file without ``--config`` is refused with what to write."""
        error = self.assertRaises(usage.UsageError, Options().parseOptions, ["gw.ini"])
        self.assertIn("write --config gw.ini", str(error))

    def test_check(self) -> None:
        """``--check`` prints the table to standard output and ends with exit status 0."""
        error = self.assertRaises(SystemExit, self.parse, BRIDGE, "--check")
        self.assertEqual((error.code, self.err.getvalue()), (0, ""))
        self.assertIn("/dev/nonesuch", self.out.getvalue())


class Part:
    """A link that records what is done to it."""

    def __init__(self, name: str, told: list[str], fails: Exception | None = None) -> None:
        self.name, self.told, self.fails = name, told, fails
        self.counters: dict[str, int] = {"packets_in": 3}
        self.sessions: dict[Any, None] = {}
        self.options = LinkOptions()
        self.stopped: Deferred[None] = succeed(None)
        self.how = self
        self.listens = True
        self.ledger = Ledger()

    def accounts(self) -> dict[str, int]:
        return self.ledger.total([], 0)

    def start(self) -> None:
        self.told.append(f"start {self.name}")
        if self.fails:
            raise self.fails

    def rewire(self, hears: tuple[str, ...]) -> None:
        return

    def stop(self) -> Deferred[None]:
        self.told.append(f"stop {self.name}")
        return self.stopped


class ServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(gc.unfreeze)
        ini = Path(self.mktemp())
        ini.write_text("[lan]\nlisten = 127.0.0.1:0\n[scale]\ndevice = /dev/nonesuch\nsubscribe = lan\n[gateway]\nlinger = 1s\n")
        self.clock = Clock()
        self.service = GatewayService(load(str(ini)), self.clock)
        self.events: list[dict[str, Any]] = []
        self.service.runtime.log = Logger(namespace="test", observer=self.events.append)
        self.told: list[str] = []

    def test_monotonic(self) -> None:
        """No timer of the program follows the wall clock: stepping it moves nothing."""
        self.patch(reactor, "seconds", reactor.seconds)
        makeService({"config": self.service.config})
        self.assertIs(reactor.seconds, time.monotonic)

    def keep_signals(self) -> None:
        for number in (signal.SIGUSR2, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))

    def test_devices_first(self) -> None:
        """Devices are tried before listeners open, whatever the order in the file, and once only, though both kinds of start come."""
        self.keep_signals()
        raised: list[bool] = []
        self.patch(service, "raise_open_files", lambda: raised.append(True) or 100)
        for link in self.service.links.values():
            self.patch(link, "start", lambda name=link.name: self.told.append(name))
        self.service.privilegedStartService()
        self.service.startService()
        self.assertEqual((self.told, raised), (["scale", "lan"], [True]))
        self.assertIn("1064 open files may be needed", "".join(event["text"] for event in self.events if "text" in event))

    def test_nothing_to_look_through(self) -> None:
        """What the start has made is not looked through for garbage again and again."""
        self.keep_signals()
        self.service.links = {}
        self.service.config.wiring.clear()
        self.service.privilegedStartService()
        self.assertGreater(gc.get_freeze_count(), 1000)

    def test_cannot_listen(self) -> None:
        """A listener that fails gives one line on standard error and exit status 1."""
        self.keep_signals()
        err = io.StringIO()
        self.patch(sys, "stderr", err)
        self.service.links = {name: Part(name, self.told, ListenError("[lan] cannot listen")) for name in ("lan", "scale")}  # type: ignore[dict-item]
        error = self.assertRaises(SystemExit, self.service.privilegedStartService)
        self.assertEqual((error.code, err.getvalue()), (1, "[lan] cannot listen\n"))

    def test_stop(self) -> None:
        """Stopping waits for all links, and no longer than the linger time."""
        self.clock.seconds = lambda: self.clock.rightNow  # type: ignore[method-assign]
        good, stuck = Part("good", self.told), Part("stuck", self.told)
        stuck.stopped = Deferred()
        self.service.links = {"good": good, "stuck": stuck}  # type: ignore[dict-item]
        stopped = self.service.stopService()
        self.assertNoResult(stopped)
        self.clock.advance(1.4)
        self.successResultOf(stopped)
        self.assertEqual((self.told, self.clock.getDelayedCalls()), (["stop good", "stop stuck"], []))

    def test_stop_logs_the_rest(self) -> None:
        """Log lines that the rate limit held back are logged at the end."""
        self.service.links = {}
        for _ in range(9):
            self.service.runtime.notices.say("a", "again")
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_report(self) -> None:
        """Each link's line has its sessions, one or several, and what it counted; a second one what became of the packets for it."""
        parts = {name: Part(name, self.told) for name in ("none", "one", "two")}
        parts["two"].ledger.absent.came = parts["two"].ledger.absent.written = 5
        parts["one"].sessions, parts["two"].sessions = {1: None}, {1: None, 2: None}
        self.service.links = parts  # type: ignore[assignment]
        self.service.report()
        lines = [str(event["log_format"]).format(**event) for event in self.events]
        expected = ["[none] 0 sessions now; packets_in 3", "[one] 1 session now; packets_in 3", "[two] 2 sessions now; packets_in 3"]
        self.assertEqual(lines, [*expected, "[two] packets: came 5, written 5, unaccounted 0"])

    def test_open_files(self) -> None:
        """The program may have as many connections as the system allows."""
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(64, before[1]), before[1]))
        raise_open_files()
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (before[1], before[1]))
