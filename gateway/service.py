"""The twistd plugin: the command line, and the order in which links start and stop."""

from __future__ import annotations

import gc
import resource
import signal
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.python import usage

from .net import lean  # noqa: F401  # isort: skip  # before anything of Twisted that has sockets
from . import registry
from .config.config import Config, ConfigErrors
from .config.load import load
from .config.table import table
from .errors import ConfigError
from .ledger import written_out
from .links.link import Link
from .links.runtime import Runtime
from .net import clock
from .net.listeners import ListenError
from .options import write_count

EX_CONFIG = 78
SPARE_FILES = 64


class Options(usage.Options):
    """``twistd -n gateway --config gw.ini``"""

    synopsis = "[options]"
    longdesc = "Moves packets from serial devices to TCP, TLS and WebSocket clients, and commands back."
    optParameters: ClassVar = [["config", "c", "gw.ini", "The INI file."]]
    optFlags: ClassVar = [["check", None, "Check the INI file, print who hears whom, and exit."]]

    def parseArgs(self, *words: str) -> None:
        """Refuse words without an option, and say how the INI file is given."""
        if words:
            raise usage.UsageError(f"{words[0]!r} is not an option: write --config {words[0]} if it is the INI file")

    def postOptions(self) -> None:
        """Check the INI file before anything starts; on mistakes exit with status 78 and one line for each."""
        try:
            config = load(self["config"])
        except ConfigErrors as errors:
            sys.stderr.write(f"{errors}\n")
            raise SystemExit(EX_CONFIG) from None
        if self["check"]:
            sys.stdout.write(f"{table(config)}\n")
            raise SystemExit(0)
        self["config"] = config


def makeService(options: Mapping[str, Any]) -> Service:
    """The service, from options that `Options.postOptions` has checked."""
    from twisted.internet import reactor

    # Twisted's own clock is the wall clock: if that is set back an hour, no timer fires for an hour.
    reactor.seconds = clock.monotonic  # type: ignore[method-assign]
    try:
        return GatewayService(options["config"], reactor)
    except ConfigError as error:  # a part of another distribution may refuse its options only here
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EX_CONFIG) from None


class CannotStart(SystemExit, Exception):  # noqa: N818
    """Ends the start with exit status 1 and without a traceback.

    It is an Exception too, because twistd reports only those to the parent process of a daemon, which waits for the outcome.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = 1


class GatewayService(Service):
    """All links of one configuration. ``outside`` is what `Runtime` is to have in place of this machine's clock, chance and devices."""

    def __init__(self, config: Config, reactor: Any, **outside: Any) -> None:
        self.config = config
        self.reactor = reactor
        self.runtime = Runtime(reactor, memory=config.gateway.memory, linger=config.gateway.linger, tls=config.tls, **outside)
        self._opened = False
        self.links: dict[str, Link] = {
            name: registry.load("transport", plan.transport).make_link(plan, self.runtime) for name, plan in config.links.items()
        }

    def privilegedStartService(self) -> None:
        """Open devices and listeners with the privileges that ``twistd --uid`` gives up afterwards."""
        self._open()

    def _open(self) -> None:
        """Start devices first, then listeners, so that early clients find their device. A listener that fails ends the start."""
        if self._opened:
            return
        self._opened = True
        signal.signal(signal.SIGUSR2, lambda *_: self.reactor.callFromThread(self.report))
        signal.signal(signal.SIGHUP, lambda *_: self.reactor.callFromThread(self._hung_up))
        self._check_open_files(raise_open_files())
        for warning in self.config.warnings:
            self.runtime.log.warn("{text}", text=warning)
        for note in self.config.notes:
            self.runtime.log.info("{text}", text=note)
        for name, hears in self.config.wiring.items():
            self.links[name].rewire(hears)
        try:
            for link in sorted(self.links.values(), key=lambda link: link.how.listens):
                link.start()
        except ListenError as error:
            sys.stderr.write(f"{error}\n")
            raise CannotStart(str(error)) from None
        # What is there now stays: to look through it for garbage again and again would hold everybody up, longer with each link.
        gc.freeze()

    def _check_open_files(self, limit: int) -> None:
        wanted = sum(link.options.max_sessions for link in self.links.values() if link.how.listens) + SPARE_FILES
        if wanted > limit >= 0:
            text = f"{wanted} open files may be needed (all max_sessions and {SPARE_FILES}), but the system allows {limit}:"
            self.runtime.log.warn("{text}", text=f"{text} raise ulimit -Hn (systemd: LimitNOFILE) or lower max_sessions")

    def startService(self) -> None:
        super().startService()
        self._open()  # `twist` calls no privilegedStartService

    def stopService(self) -> Deferred[None]:
        """Write the whole packets that wait, and close every session; the Deferred fires soon after the linger time at the latest."""
        super().stopService()
        stopped: Deferred[Any] = DeferredList([link.stop() for link in self.links.values()], consumeErrors=True)
        stopped.addTimeout(self.runtime.linger + 0.3, self.reactor, onTimeoutCancel=lambda result, _: result)

        def done(_: Any) -> None:
            self.report()
            self.runtime.stop()

        return stopped.addBoth(done)

    def _hung_up(self) -> None:
        self.runtime.log.warn("SIGHUP received (the terminal was closed): the program ends, as with SIGTERM")
        self.reactor.stop()

    def report(self) -> None:
        """Log one line for each link, with its sessions and counters. Runs at the end, and at SIGUSR2."""
        for link in self.links.values():
            counted = ", ".join(f"{name} {count}" for name, count in sorted(link.counters.items()) if count)
            self.runtime.log.info(
                "[{name}] {sessions} now; {counted}",
                name=link.name,
                sessions=write_count(len(link.sessions), "session"),
                counted=counted or "nothing counted yet",
            )
            if accounts := written_out(link.accounts(), link.ledger.delays):
                self.runtime.log.info("[{name}] {accounts}", name=link.name, accounts=accounts)
        if self.runtime.counters:
            counted = ", ".join(f"{name} {count}" for name, count in sorted(self.runtime.counters.items()))
            self.runtime.log.info("[gateway] {counted}", counted=counted)


def raise_open_files() -> int:
    """Raise the limit of open files to what the system allows, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
