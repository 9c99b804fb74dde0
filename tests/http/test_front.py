"""What a browser meets first."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from gateway.errors import ConfigError
from gateway.http import front
from gateway.http.front import HEAD_TIMEOUT
from gateway.links.link import Link
from gateway.peer import PLAIN, Peer
from gateway.tls.options import TlsOptions

from ..building import make_runtime
from ..certificates import site
from ..far_end import PEER, End
from ..visiting import Setting, make_link, path_of, request
from ..websocket.test_frames import client_frame


class FrontTests(Setting, SynchronousTestCase):
    def test_page(self) -> None:
        """A browser that opens the path gets the page, and the connection ends when it has gone."""
        client = self.client(make_link(self.runtime))
        client.send(request(upgrade=None))
        self.assertEqual(client.status(), 200)
        self.assertIn(b"<title>web</title>", client.socket.value())
        self.assertTrue(client.socket.half_closed)

    def test_head(self) -> None:
        """HEAD gets no body, of pages and of errors."""
        link = make_link(self.runtime)
        for path, status in (("/", 200), ("/none", 404)):
            client = self.client(link)
            client.send(request(path, "HEAD", upgrade=None))
            self.assertEqual(client.status(), status)
            self.assertTrue(client.socket.value().endswith(b"\r\n\r\n"))

    def test_errors(self) -> None:
        """404 at other paths, 426 where there is no page, 405 for other methods, 400 for garbage: short, and with nothing else in it."""
        link = make_link(self.runtime, page=False)
        for data, status in (
            (request("/none"), 404),
            (request("/none", upgrade=None), 404),
            (request(upgrade=None), 426),
            (request(method="POST"), 405),
            (request(sec_websocket_version="8"), 426),
            (request(sec_websocket_key="x"), 400),
            (request().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
            (b"\x00\x01\x02", 400),
            (b"GET / HTTP/1.1\nHost: x\n\n\r\n\r\n", 400),
        ):
            client = self.client(link)
            client.send(data)
            self.assertEqual(client.status(), status, data)
            self.assertLess(len(client.socket.value()), 600)
            self.assertNotRegex(client.socket.value().lower(), b"autobahn|twisted|python|server:")
        self.assertEqual((link.sessions, self.heard), ({}, []))

    def test_frame_in_the_same_segment(self) -> None:
        """The bytes behind the request in its segment belong to the WebSocket, also where the port serves a page."""
        link = make_link(self.runtime, page=True)
        client = self.client(link)
        client.send(request() + client_frame(b"at once") + client_frame(b"half")[:4])
        client.send(client_frame(b"more", mask=b"1234"))
        self.assertEqual(self.heard[:1], [b"at once"])
        self.assertTrue(client.socket.value().startswith(b"HTTP/1.1 101 "))

    def test_head_byte_by_byte(self) -> None:
        """A head that dribbles in is served like one that comes whole."""
        client = self.client(make_link(self.runtime))
        for byte in request() + client_frame(b"hello"):
            client.send(bytes((byte,)))
        self.assertEqual(self.heard, [b"hello"])

    def test_3_seconds(self) -> None:
        """The head must be whole three seconds after the connection, whatever dribbles in; then 408, and the cut."""
        link = make_link(self.runtime)
        client = self.client(link)
        for byte in request()[:29]:
            client.send(bytes((byte,)))
            self.clock.advance(0.1)
        self.assertEqual(client.socket.value(), b"")
        self.clock.advance(HEAD_TIMEOUT - 2.9)
        self.assertEqual(client.status(), 408)
        self.clock.advance(self.runtime.linger)
        self.assertTrue(client.socket.aborted)

    def test_deadline_is_over(self) -> None:
        """An open WebSocket is not under that deadline, and holds no place among those who wait."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        self.clock.advance(HEAD_TIMEOUT + 1)
        self.assertEqual((client.frames(), len(path_of(link).front.admission)), ([], 0))

    def test_6_long_head(self) -> None:
        """A head without end is refused at 16 KiB, and what follows is not kept."""
        client = self.client(make_link(self.runtime))
        client.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 20000)
        client.send(b"x" * 100000)
        self.assertEqual(client.status(), 431)
        self.assertIsNone(client.protocol._reader)

    def test_7_second_request(self) -> None:
        """A second request behind the first is not one: there is one 101, and then a closed WebSocket."""
        client = self.client(make_link(self.runtime))
        client.send(request() * 2)
        _, _, behind = client.socket.value().partition(b"\r\n\r\n")
        self.assertEqual(client.socket.value().count(b"HTTP/1.1"), 1)
        self.assertEqual(behind[:4], b"\x88" + behind[1:2] + b"\x03\xea")

    def test_8_subprotocols(self) -> None:
        """A known subprotocol is agreed on, an unknown one is left out, and neither hangs."""
        link = make_link(self.runtime, subprotocols="serial.v1")
        client = self.client(link)
        client.send(request(sec_websocket_protocol="x, serial.v1"))
        self.assertIn(b"Sec-WebSocket-Protocol: serial.v1\r\n", client.socket.value())
        client = self.client(link)
        client.send(request(sec_websocket_protocol="x"))
        self.assertNotIn(b"Sec-WebSocket-Protocol", client.socket.value())
        self.assertEqual(client.status(), 101)

    def test_answered_once(self) -> None:
        """After the answer nothing is read, and who does not go is cut."""
        client = self.client(make_link(self.runtime))
        client.send(request("/none"))
        answer = client.socket.value()
        client.send(request())
        self.assertEqual(client.socket.value(), answer)
        self.clock.advance(self.runtime.linger)
        self.assertTrue(client.socket.aborted)

    def test_tls_on_a_plain_port(self) -> None:
        """A TLS hello on a plain port is told for what it is."""
        self.client(make_link(self.runtime)).send(b"\x16\x03\x01\x02\x00\x01")
        self.assertIn("speaks TLS", self.said())

    def test_spare_connection(self) -> None:
        """A connection on which nothing comes, as browsers open them, ends without an answer and without a warning."""
        told: list[tuple[str, str]] = []
        self.runtime.log.observer = lambda event: told.append((event["log_level"].name, event["text"]))
        client = self.client(make_link(self.runtime))
        self.clock.advance(HEAD_TIMEOUT)
        self.assertEqual((client.socket.aborted, client.socket.value()), (True, b""))
        self.assertEqual(told, [("debug", "[web] 127.0.0.1:40000: sent nothing within 3 s")])

    def test_impossible_host(self) -> None:
        """A Host that cannot be is answered with 400, whatever Origin comes with it."""
        link = make_link(self.runtime)
        for host in ("x:99999", "x" * 400):
            client = self.client(link)
            client.send(request(host=host, origin="http://x"))
            self.assertEqual(client.status(), 400)

    def test_our_fault(self) -> None:
        """A fault of ours is a short 500: counted, logged at length once for each kind, and after that by rate."""
        link = make_link(self.runtime)

        def fail(*arguments: object) -> None:
            raise ZeroDivisionError

        self.patch(front, "check_origin", fail)
        for _ in range(100):
            client = self.client(link)
            client.send(request())
            self.assertEqual(client.status(), 500)
            self.assertNotIn(b"ZeroDivision", client.socket.value())
        self.assertEqual(link.counters["failures"], 100)
        self.assertEqual(self.said().count("failed while answering"), 1 + 5)

    def test_evicted(self) -> None:
        """When too many wait, the oldest goes and the newest is served."""
        self.patch(front, "MAX_WAITING", 3)
        self.patch(front, "MAX_WAITING_PER_SOURCE", 3)
        link = make_link(self.runtime)
        silent = [self.client(link) for _ in range(3)]
        self.client(link).open()
        self.assertEqual([client.socket.aborted for client in silent], [True, False, False])
        self.assertIn("newer connections", self.said())

    def test_refusals_without_a_link(self) -> None:
        """What is refused before it has named a link, or names none, is counted and told for the link that opened the listener."""
        one = make_link(self.runtime, "one", path="/one")
        make_link(self.runtime, "two", path="/two")
        self.client(one).send(request("/three"))
        self.client(one).send(b"\x00\x01\x02")
        self.client(one).send(b"GET ")
        self.clock.advance(HEAD_TIMEOUT)
        self.assertEqual(one.counters["refused_requests"], 3)
        self.assertEqual([line[:6] for line in self.runtime.lines], ["[one] "] * 3)


class ListeningTests(SynchronousTestCase):
    def listening(self, *links: dict[str, Any], tls: str | None = None) -> list[str]:
        runtime = make_runtime(MemoryReactorClock(), tls={"site": TlsOptions(certificate=site()[0], private_key=site()[1])})
        made = [make_link(runtime, listen="127.0.0.1:0", tls=tls, **options) for options in links]
        for link in made:
            link.start()
        port = path_of(made[0]).listener.address.port
        for link in made:
            link.stop()
        runtime.reactor.advance(0)
        return [line.replace(str(port), "PORT") for line in runtime.lines]  # type: ignore[attr-defined]

    def test_where_to_look(self) -> None:
        """The log has the address of each page, with the port that was chosen; of a link without a page, where it listens."""
        links = [{"name": "web"}, {"name": "two", "path": "/two"}, {"name": "bare", "path": "/bare", "page": False}]
        lines = ["[web] listening on http://127.0.0.1:PORT/", "[two] listening on http://127.0.0.1:PORT/two"]
        self.assertEqual(self.listening(*links), [*lines, "[bare] listening on 127.0.0.1:PORT"])
        self.assertEqual(self.listening({"name": "web"}, tls="site"), ["[web] listening on https://127.0.0.1:PORT/"])

    def test_tls_failures_are_counted(self) -> None:
        """TLS that fails on a shared listener is counted for the link that opened it."""
        runtime = make_runtime(MemoryReactorClock(), tls={"site": TlsOptions(certificate=site()[0], private_key=site()[1])})
        one = make_link(runtime, "one", path="/one", tls="site", listen="127.0.0.1:0")
        make_link(runtime, "two", path="/two", tls="site", listen="127.0.0.1:0")
        one.start()
        end = End(path_of(one).listener._port.factory.buildProtocol(PEER))
        end.protocol.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
        end.lose()
        one.stop()
        runtime.reactor.advance(0)
        self.assertEqual(one.counters["not_tls"], 1)
        self.assertIn("[one] 192.0.2.7:5122: not_tls: speaks HTTP", runtime.lines[-1])  # type: ignore[attr-defined]


class OriginTests(Setting, SynchronousTestCase):
    def status(self, link: Link, peer: str = "10.0.0.9", security: Peer = PLAIN, **headers: str | None) -> int:
        client = self.client(link, peer, security)
        client.send(request(**headers))
        return client.status()

    def test_strangers_page(self) -> None:
        """A stranger's page gets 403, the log says what to set, and it is counted."""
        link = make_link(self.runtime)
        self.assertEqual(self.status(link, origin="http://pos.local"), 403)
        self.assertIn("[web] 10.0.0.9:40000: 403: origin http://pos.local refused; to allow it: origins = http://pos.local", self.said())
        self.assertEqual(link.counters["refused_requests"], 1)

    def test_listed(self) -> None:
        """A listed origin connects, also when the list has another spelling of its port."""
        link = make_link(self.runtime, origins="http://pos.local:80, https://x")
        self.assertEqual(self.status(link, origin="http://pos.local"), 101)

    def test_missing(self) -> None:
        """Without Origin a client connects from this machine (IPv4, IPv6, mapped) or with a certificate; TLS alone is not enough."""
        link = make_link(self.runtime)
        self.assertEqual(self.status(link, origin=None), 403)
        self.assertEqual(self.status(link, origin=None, security=Peer(True)), 403)
        for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
            self.assertEqual(self.status(link, host, origin=None), 101)
        self.assertEqual(self.status(link, origin=None, security=Peer(True, "buoy-7")), 101)

    def test_rebinding(self) -> None:
        """A name that was made to point here is not enough."""
        link = make_link(self.runtime)
        self.assertEqual(self.status(link, origin="http://evil.example:8080", host="evil.example:8080"), 403)


class RouteTests(Setting, SynchronousTestCase):
    def test_paths(self) -> None:
        """Links on one address share its listener, and each client gets the link of its path."""
        one, two = make_link(self.runtime, "one", path="/one"), make_link(self.runtime, "two", path="/two")
        self.assertIs(path_of(one).front, path_of(two).front)
        self.client(one).open()
        self.client(two).open()
        self.client(two).open()
        self.assertEqual((len(one.sessions), len(two.sessions)), (1, 2))

    def test_same_path(self) -> None:
        """Two links with one path on one address are an error that names both."""
        make_link(self.runtime, "one")
        error = self.assertRaises(ConfigError, make_link, self.runtime, "two")
        self.assertEqual((error.section, error.key), ("two", "path"))
        self.assertIn("[one]", str(error))

    def test_other_tls(self) -> None:
        """Two links on one address have the same TLS."""
        make_link(self.runtime, "one", path="/one")
        error = self.assertRaises(ConfigError, make_link, self.runtime, "two", path="/two", tls="site")
        self.assertEqual(error.key, "tls")

    def test_full(self) -> None:
        """One session too many gets 503 and a line in the log."""
        link = make_link(self.runtime, max_sessions=1)
        self.client(link).open()
        client = self.client(link)
        client.send(request())
        self.assertEqual((client.status(), link.counters["refused_sessions"]), (503, 1))
        self.assertIn("max_sessions", self.said())

    def test_full_is_told_once(self) -> None:
        """One session too many is one line in the log."""
        link = make_link(self.runtime, max_sessions=1)
        self.client(link).open()
        self.client(link).send(request())
        self.assertEqual((self.said().count("max_sessions"), link.counters["refused_requests"]), (1, 0))

    def test_wrong_path(self) -> None:
        """The path that is not there is in the log, cut; which there are is told on this machine only, and to no proxy."""
        link = make_link(self.runtime, path="/gps")
        for host, headers, told in (("127.0.0.1", {}, True), ("10.0.0.9", {}, False), ("127.0.0.1", {"x_forwarded_for": "1.2.3.4"}, False)):
            client = self.client(link, host)
            client.send(request("/gp" + "s" * 1000, **headers))
            self.assertEqual((client.status(), b"there is: /gps" in client.socket.value()), (404, told), (host, headers))
        self.assertIn("404: there is nothing at the path '/gps", self.said())
        self.assertLess(max(map(len, self.said().splitlines())), 250)

    def test_page_knows_its_hearers(self) -> None:
        """The page can send where somebody hears the link, and where the client may write."""
        heard, unheard = make_link(self.runtime), make_link(self.runtime, "deaf", path="/deaf")
        for link, security, sends in ((heard, PLAIN, True), (unheard, PLAIN, False), (heard, Peer(False, may_write=False), False)):
            client = self.client(link, security=security)
            client.send(request(link.options.path, upgrade=None))
            self.assertEqual(b'data-heard="yes"' in client.socket.value(), sends, link.name)

    def test_closed_route(self) -> None:
        """A link that has stopped is not there any more; the others stay."""
        one, two = make_link(self.runtime, "one", path="/one"), make_link(self.runtime, "two", path="/two")
        one.stop()
        client = self.client(two)
        client.send(request("/one"))
        self.assertEqual(client.status(), 404)
        self.client(two).open()

    def test_last_link_stops(self) -> None:
        """With the last link those who wait for their answer are cut, and it has stopped when they have gone."""
        link = make_link(self.runtime)
        client = self.client(link)
        stopped = link.stop()
        self.assertTrue(client.socket.aborted)
        self.assertNoResult(stopped)
        client.lose()
        self.successResultOf(stopped)
