"""WebSocket links with real sockets and with clients that others wrote."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trustme
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from gateway.links.link import Link
from gateway.links.runtime import Runtime
from gateway.tls.options import TlsOptions

from ..building import lines
from ..visiting import make_link, path_of, request
from ..websocket.test_frames import client_frame

reactor: Any = _reactor


class ServedTestCase(TestCase):
    """A runtime on the real reactor; links listen on free ports of 127.0.0.1; clients run in threads."""

    timeout = 120

    def setUp(self) -> None:
        self.runtime = Runtime(reactor, memory=256 << 20, linger=0.5)
        self.heard: list[bytes] = []
        self.runtime.bus.subscribe(["web"], lambda batch: self.heard.extend(batch.payloads), "test")
        self.addCleanup(self.runtime.stop)

    def serve(self, **options: Any) -> Link:
        link = make_link(self.runtime, listen="127.0.0.1:0", **options)
        link.start()
        self.addCleanup(link.stop)
        return link

    def url(self, link: Link) -> str:
        return f"127.0.0.1:{path_of(link).listener.address.port}{link.options.path}"

    def threaded(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThread(function, *arguments)

    async def joined(self, link: Link, count: int = 1) -> None:
        while len(link.sessions) < count:
            await deferLater(reactor, 0.01)

    def raw(self, link: Link) -> socket.socket:
        """A plain socket to the listener, for a thread."""
        client = socket.create_connection(("127.0.0.1", path_of(link).listener.address.port), timeout=60)
        self.addCleanup(client.close)
        return client


def read_all(client: socket.socket) -> bytes:
    """Everything until the end, be it a regular one or not."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while more := client.recv(65536):
            data += more
    return data


class ClientTests(ServedTestCase):
    async def test_both_ways(self) -> None:
        """The client library `websockets` gets every packet, text and binary, in order, and what it sends are packets, of any form."""
        link = self.serve()
        bodies = [b"plain", "grün".encode(), b"\x00\xff", b"", b"x" * 70000]

        def talk() -> list[Any]:
            with connect(f"ws://{self.url(link)}") as client:
                client.send("text")
                client.send(b"binary\xff")
                client.send(["frag", "men", "ted"])
                client.send(b"y" * (1 << 20))
                client.ping().wait(30)
                return [client.recv(timeout=60) for _ in bodies]

        talking = self.threaded(talk)
        while len(self.heard) < 4:
            await deferLater(reactor, 0.01)
        link.deliver(lines(*bodies))
        self.assertEqual(await talking, ["plain", "grün", b"\x00\xff", "", "x" * 70000])
        self.assertEqual(self.heard, [b"text", b"binary\xff", b"fragmented", b"y" * (1 << 20)])

    async def test_too_long(self) -> None:
        """A message of 1 MiB + 1 is closed with 1009, which the client gets although it is still sending."""
        link = self.serve()

        def send() -> int:
            with connect(f"ws://{self.url(link)}") as client:
                try:
                    client.send(b"y" * ((1 << 20) + 1))
                    client.recv(timeout=60)
                except ConnectionClosed as closed:
                    return closed.rcvd.code if closed.rcvd else 1006
            return 0

        self.assertEqual(await self.threaded(send), 1009)
        self.assertEqual(self.heard, [])

    async def test_16_mib(self) -> None:
        """16 MiB in 65 536 fragments are one packet, where it is allowed."""
        link = self.serve(max_message="16MiB")
        fragment = b"z" * 256

        def send() -> None:
            with connect(f"ws://{self.url(link)}") as client:
                client.send(fragment for _ in range(65536))

        await self.threaded(send)
        self.assertEqual([len(body) for body in self.heard], [16 << 20])

    async def test_gateway_stops(self) -> None:
        """A client gets Close with 1001 when the link stops, behind the last packets."""
        link = self.serve()

        def listen() -> tuple[str, int]:
            with connect(f"ws://{self.url(link)}") as client:
                last = str(client.recv(timeout=60))
                try:
                    client.recv(timeout=60)
                except ConnectionClosed as closed:
                    return last, closed.rcvd.code if closed.rcvd else 1006
            return last, 0

        listening = self.threaded(listen)
        await self.joined(link)
        link.deliver(lines(b"last"))
        await link.stop()
        self.assertEqual(await listening, ("last", 1001))

    async def test_subprotocol(self) -> None:
        """The subprotocol that both know is agreed on."""
        link = self.serve(subprotocols="serial.v1")

        def agree() -> Any:
            with connect(f"ws://{self.url(link)}", subprotocols=["serial.v2", "serial.v1"]) as client:  # type: ignore[list-item]
                return client.subprotocol

        self.assertEqual(await self.threaded(agree), "serial.v1")

    async def test_ping_of_ours(self) -> None:
        """A client that answers pings stays for many times the timeout."""
        link = self.serve(ping_interval=0.1, ping_timeout=5.0)

        def stay(client: ClientConnection) -> str:
            return str(client.recv(timeout=60))

        client = await self.threaded(connect, f"ws://{self.url(link)}")
        self.addCleanup(deferToThread, client.close)
        staying = self.threaded(stay, client)
        await self.joined(link)
        await deferLater(reactor, 1.0)
        link.deliver(lines(b"still here"))
        self.assertEqual(await staying, "still here")
        self.assertEqual(link.counters["ping_timeouts"], 0)


class SlowReaderTests(ServedTestCase):
    async def test_one_that_never_reads(self) -> None:
        """Beside one client that never reads another gets all of 30 MB; what is kept for the first is bounded, and it is ended."""
        link = self.serve(outbox={"bytes": 1 << 20})
        stuck = self.raw(link)
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await self.threaded(stuck.sendall, request(host=f"127.0.0.1:{path_of(link).listener.address.port}", origin=None))
        await self.joined(link)
        count, body = 300, b"x" * 99_999

        def read() -> int:
            with connect(f"ws://{self.url(link)}", max_queue=None) as client:
                return sum(len(client.recv(timeout=60)) for _ in range(count))

        reading = self.threaded(read)
        await self.joined(link, 2)
        most = 0
        slow = next(iter(link.sessions))
        for _ in range(count):
            link.deliver(lines(body))
            most = max(most, self.runtime.memory.used)
            while any(session is not slow and not session.clear for session in link.sessions):
                await deferLater(reactor, 0.001)
        self.assertEqual(await reading, count * len(body))
        # Its packets wait as they came, and as the messages that it gets.
        self.assertLessEqual(most, 2 * ((1 << 20) + 200_000))
        self.assertEqual(link.counters["slow_disconnects"], 1)
        while link.sessions:
            await deferLater(reactor, 0.01)

    async def test_close_without_reading(self) -> None:
        """A client that never reads and sends Close is gone after the linger time, with all that waited for it."""
        link = self.serve()
        client = self.raw(link)
        await self.threaded(client.sendall, request(host=f"127.0.0.1:{path_of(link).listener.address.port}", origin=None))
        await self.joined(link)
        [session] = link.sessions
        while session.clear:
            link.deliver(lines(b"x" * 99_999))
        link.deliver(lines(b"waits"))
        await self.threaded(client.sendall, client_frame(b"\x03\xe8", 0x88))
        while link.sessions:
            await deferLater(reactor, 0.01)
        self.assertEqual((self.runtime.memory.used, link.counters["dropped_packets"]), (0, 1))


class RawTests(ServedTestCase):
    async def exchange(self, link: Link, *pieces: bytes) -> bytes:
        """All that comes back when these pieces are sent in one segment each."""
        client = self.raw(link)

        def talk() -> bytes:
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    client.sendall(piece)
            return read_all(client)

        return bytes(await self.threaded(talk))

    async def test_frame_in_the_same_segment(self) -> None:
        """Bytes right behind the request belong to the WebSocket, where the port serves a page."""
        link = self.serve()
        upgrade = request(host=f"127.0.0.1:{path_of(link).listener.address.port}", origin=None)
        answer = await self.exchange(link, upgrade + client_frame(b"at once") + client_frame(b"\x03\xe8", 0x88))
        self.assertEqual(self.heard, [b"at once"])
        self.assertEqual(answer.partition(b"\r\n\r\n")[2], b"\x88\x02\x03\xe8")

    async def test_13_reply_is_not_lost(self) -> None:
        """A violation with a megabyte behind it still gets its Close, and not a reset that overtakes it."""
        link = self.serve()
        upgrade = request(host=f"127.0.0.1:{path_of(link).listener.address.port}", origin=None)
        answer = await self.exchange(link, upgrade, b"\xf1\x00" + b"\x00" * (1 << 20))
        self.assertEqual(answer.partition(b"\r\n\r\n")[2][2:4], b"\x03\xea")

    async def test_garbage(self) -> None:
        """Garbage, and a request with a large body behind it, get their short answer, and the listener goes on."""
        link = self.serve()
        self.assertTrue((await self.exchange(link, b"\x00" * 100_000)).startswith(b"HTTP/1.1 400 "))
        posted = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"b" * 1_000_000
        self.assertTrue((await self.exchange(link, posted)).startswith(b"HTTP/1.1 405 "))
        page = request(host="127.0.0.1", upgrade=None, origin=None)
        self.assertTrue((await self.exchange(link, page)).startswith(b"HTTP/1.1 200 "))

    async def test_two_links_on_one_port(self) -> None:
        """Two links share a listener by path; when one stops the other goes on; the port is closed with the last."""
        one = self.serve(name="one", path="/one")
        two = self.serve(name="two", path="/two")
        self.assertIs(path_of(one).listener, path_of(two).listener)

        def visit() -> int:
            with connect(f"ws://{self.url(two)}") as client:
                client.ping().wait(30)
                return 1

        await self.threaded(visit)
        await one.stop()
        self.assertEqual(await self.threaded(visit), 1)
        self.assertEqual(two.counters["connected"], 2)


class TlsTests(ServedTestCase):
    """`wss://` and `https://`, with clients that offer ALPN."""

    def setUp(self) -> None:
        super().setUp()
        folder = Path(self.mktemp())
        folder.mkdir()
        self.ca = trustme.CA()
        certificate = self.ca.issue_cert("127.0.0.1")
        self.ca_file, chain, key = folder / "ca.pem", folder / "site.pem", folder / "site.key"
        self.ca.cert_pem.write_to_path(str(self.ca_file))
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(str(chain), append=True)
        certificate.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        self.runtime.tls["site"] = TlsOptions(certificate=str(chain.absolute()), private_key=str(key.absolute()))

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    async def test_wss(self) -> None:
        """A client that offers ALPN talks both ways, with long messages too, and ends regularly."""
        link = self.serve(tls="site")
        context = self.context()

        def talk() -> tuple[Any, Any]:
            with connect(f"wss://{self.url(link)}", ssl=context) as client:
                client.send(b"y" * 300_000)
                return client.recv(timeout=60), client.recv(timeout=60)

        talking = self.threaded(talk)
        while not self.heard:
            await deferLater(reactor, 0.01)
        link.deliver(lines(b"one", b"z" * 300_000))
        self.assertEqual(await talking, ("one", "z" * 300_000))
        while link.sessions:
            await deferLater(reactor, 0.01)

    async def test_frame_in_the_same_record(self) -> None:
        """Bytes right behind the request belong to the WebSocket on TLS as well; a violation gets its Close there too."""
        link = self.serve(tls="site")
        context = self.context()
        client = self.raw(link)
        upgrade = request(host=f"127.0.0.1:{path_of(link).listener.address.port}", origin=None)

        def talk() -> bytes:
            with context.wrap_socket(client, server_hostname="127.0.0.1") as secure:
                secure.sendall(upgrade + client_frame(b"at once") + client_frame(b"bad", 0xC1))
                return read_all(secure)

        answer = await self.threaded(talk)
        self.assertEqual(self.heard, [b"at once"])
        self.assertEqual(answer.partition(b"\r\n\r\n")[2][2:4], b"\x03\xea")

    async def test_curl(self) -> None:
        """curl, which offers HTTP/2, gets the page over TLS."""
        link = self.serve(tls="site")
        command = ["curl", "-sS", "--cacert", str(self.ca_file), "-i", f"https://{self.url(link)}"]
        done = await self.threaded(lambda: subprocess.run(command, capture_output=True, timeout=60))
        self.assertEqual(done.stderr, b"")
        self.assertTrue(done.stdout.startswith(b"HTTP/1.1 200 OK"), done.stdout[:200])
        self.assertIn(b"wss://127.0.0.1", done.stdout)
