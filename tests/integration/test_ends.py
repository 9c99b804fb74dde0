"""How things end: half, whole, by signals, before they began."""

from __future__ import annotations

import signal
import socket
import struct

from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from .running import Device, connect, gateway, meanwhile, port_of, reactor, start, twistd
from .test_fan_out import folder, rss, write_all


class HalfCloseTests(TestCase):
    timeout = 120

    async def test_ask_and_shut(self) -> None:
        """A client that asks and closes its sending side, as ``nc -N`` does, gets the answer."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(f"[dev]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nattach = dev\n")
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")

        def ask() -> bytes:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                client.sendall(b"READ?\n")
                client.shutdown(socket.SHUT_WR)
                return client.recv(100)

        answer = deferToThread(ask)
        await device.heard.containing(b"READ?\n")
        device.write(b"42\n")
        self.assertEqual(await answer, b"42\n")

    async def test_reader_shuts_with_packets_waiting(self) -> None:
        """A reader that closes its sending side while megabytes wait for it still gets every whole packet."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(
            f"[gateway]\nlinger = 30s\n[dev]\ndevice = {device.path}\nframing = lines\n"
            "[lan]\nlisten = 127.0.0.1:0\nsubscribe = dev\noutbox.bytes = 32MiB\n"
        )
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.addCleanup(client.close)
        await meanwhile(lambda: device.write(b"mark\n"), deferToThread(client.recv, 5))
        data = b"".join(b"%0127d\n" % number for number in range(90_000))
        await write_all(device, data)
        client.shutdown(socket.SHUT_WR)

        def read_all() -> bytes:
            got = b""
            while more := client.recv(1 << 20):
                got += more
            return got

        got = await deferToThread(read_all)
        self.assertEqual(got.replace(b"mark\n", b"") == data, True)
        await child.said.matching(r"gone: closed by the peer; it sent 0 bytes\n")

    async def test_all_of_a_file(self) -> None:
        """A client that sends a file and leaves has all of it written, however slow the device is."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(
            f"[dev]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nattach = dev\nstall_timeout = 1s\n"
        )
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")
        device.stopReading()
        data = b"".join(b"%063d\n" % number for number in range(8000))

        def send() -> None:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                client.recv(1)

        sending = deferToThread(send)
        await child.said.containing(b"connected")
        # Longer than the stall_timeout: a client that is paused is not taken for dead.
        await deferLater(reactor, 3)
        device.startReading()
        await device.heard.size(len(data))
        self.assertEqual(device.heard.data == data, True)
        await sending


class SignalTests(TestCase):
    timeout = 120

    async def test_a_client_that_talks(self) -> None:
        """At TERM a client that goes on sending gets every whole packet that waits for it, and no reset."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(
            f"[gateway]\nlinger = 20s\n[dev]\ndevice = {device.path}\nframing = lines\n"
            "[lan]\nlisten = 127.0.0.1:0\nattach = dev\noutbox.bytes = 16MiB\n"
        )
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")
        watcher = await connect(self, port)
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.addCleanup(client.close)
        await meanwhile(lambda: device.write(b"mark\n"), watcher.heard.containing(b"mark\n"))
        await deferToThread(client.sendall, b"hello\n")
        await device.heard.containing(b"hello\n")
        lines = b"".join(b"%0127d\n" % number for number in range(60_000))
        await write_all(device, lines)
        await watcher.heard.size(len(lines))
        await deferToThread(client.sendall, b"and I talk\n" * 1000)
        stopped = child.stop(signal.SIGTERM)

        def read_all() -> bytes:
            got = b""
            while more := client.recv(1 << 20):
                got += more
            client.close()
            return got

        got = await deferToThread(read_all)
        self.assertEqual(got.replace(b"mark\n", b"") == lines, True)
        await stopped

    async def test_hangup(self) -> None:
        """SIGHUP, which a closed terminal sends, ends as TERM does: logged, counted, nothing left behind."""
        place = folder(self)
        (place / "gw.ini").write_text("[lan]\nlisten = 127.0.0.1:0\n[local]\ntransport = unix\nlisten = s\nattach = lan\n")
        child = gateway(self, place / "gw.ini")
        await port_of(child, "lan")
        await child.said.containing(b"[local] listening")
        await child.stop(signal.SIGHUP)
        self.assertIn(b"SIGHUP received", child.said.data)
        self.assertIn(b"[lan] 0 sessions now", child.said.data)
        self.assertFalse((place / "s").exists())

    async def test_report(self) -> None:
        """SIGUSR2 logs what every link has counted, and ends nothing."""
        place = folder(self)
        (place / "gw.ini").write_text("[lan]\nlisten = 127.0.0.1:0\n")
        child = gateway(self, place / "gw.ini")
        client = await connect(self, await port_of(child, "lan"))
        client.write(b"12345\n")
        await child.said.containing(b"discarded")
        assert child.transport is not None
        child.transport.signalProcess(signal.SIGUSR2)
        await child.said.containing(b"[lan] 1 session now; connected 1, unheard 1, unheard_bytes 6")
        self.assertFalse(child.ended)


class DaemonTests(TestCase):
    async def test_port_in_use(self) -> None:
        """A daemon that cannot listen ends the command that started it with the error and exit status 1."""
        place = folder(self)
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            (place / "gw.ini").write_text(f"[lan]\nlisten = 127.0.0.1:{port}\n")
            child = start(self, [twistd(), "--pidfile=gw.pid", "--logfile=gw.log", "gateway", "--config", "gw.ini"], cwd=place)
            self.assertEqual(await child.end(), 1)
        self.assertIn(f"cannot listen on 127.0.0.1:{port}", child.said.data.decode())


class LeaversTests(TestCase):
    timeout = 180

    async def test_write_and_leave(self) -> None:
        """Hundreds that connect, write and leave while the device takes nothing cost the device's outbox and no more."""
        place, device = folder(self), Device(self)
        (place / "gw.ini").write_text(f"[dev]\ndevice = {device.path}\nframing = lines\n[lan]\nlisten = 127.0.0.1:0\nattach = dev\n")
        child = gateway(self, place / "gw.ini")
        port = await port_of(child, "lan")
        device.stopReading()
        assert child.transport is not None
        before = rss(child.transport.pid)

        def write_and_leave() -> None:
            for _ in range(300):
                with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                    client.sendall((b"y" * 999 + b"\n") * 60)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        await deferToThread(write_and_leave)
        self.assertLess(rss(child.transport.pid) - before, 12 << 20)
