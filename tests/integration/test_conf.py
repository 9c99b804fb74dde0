"""Each example of conf/ runs as it is, with a pty or a socket in place of its device, and does what its first lines say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import trustme
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.trial.unittest import TestCase

from scripts import demo_log

from .. import conf
from . import running


class ConfTests(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def run_example(self, name: str, *changes: tuple[str, str]) -> running.Child:
        return running.gateway(self, conf.put(name, self.folder, *changes))

    def with_device(self, name: str, written: str) -> tuple[running.Child, running.Device]:
        device = running.Device(self)
        return self.run_example(name, (written, device.path)), device

    async def client(self, gateway: running.Child, link: str, tls: Any = None) -> running.Peer:
        return await running.connect(self, await running.port_of(gateway, link), tls=tls)

    async def browser(self, gateway: running.Child, link: str = "web") -> running.Browser:
        return await running.browse(self, await running.port_of(gateway, link))

    def trusting(self, ca: trustme.CA) -> Any:
        root = trustRootFromCertificates([Certificate.loadPEM(ca.cert_pem.bytes())])
        return optionsForClientTLS("localhost", trustRoot=root)

    async def test_bridge(self) -> None:
        """What the device sends appears, and what the client writes goes to the device."""
        gateway, device = self.with_device("bridge", "/dev/ttyUSB0")
        client = await self.client(gateway, "lan")
        await running.meanwhile(lambda: client.write(b"P\r\n"), device.heard.containing(b"P\r\n"))
        device.write(b"  12.50 kg\r\n")
        await client.heard.containing(b"  12.50 kg\r\n")

    async def test_barcode(self) -> None:
        """A scan that ends with CR is one message in the browser, as soon as it is whole."""
        gateway, device = self.with_device("barcode", "/dev/ttyACM0")
        browser = await self.browser(gateway)
        await running.meanwhile(lambda: device.write(b"4006381333931\r"), browser.heard.containing(b"4006381333931"))
        self.assertEqual({json.loads(message)["text"] for message in browser.messages}, {"4006381333931"})

    async def test_stx_etx(self) -> None:
        """Each reading is a line, without STX and ETX, also where the port does not do parity."""
        gateway, device = self.with_device("stx-etx", "/dev/ttyUSB0")
        client = await self.client(gateway, "lan")
        await running.meanwhile(lambda: device.write(b"\x02+00123.4 g\x03"), client.heard.containing(b"+00123.4 g\n"))
        self.assertEqual(set(client.heard.data.splitlines()), {b"+00123.4 g"})

    async def test_fixed_12(self) -> None:
        """Each packet of 12 bytes is a line of 24 hex digits."""
        gateway, device = self.with_device("fixed-12", "/dev/ttyUSB0")
        client = await self.client(gateway, "lan")
        packet = bytes(range(0xF4, 0x100))
        await running.meanwhile(lambda: device.write(packet), client.heard.containing(b"\n"))
        self.assertEqual(client.heard.data.splitlines()[0], packet.hex().encode())

    async def test_silence(self) -> None:
        """What came before a silence is a line of hex digits, and is in the log."""
        gateway, device = self.with_device("silence", "/dev/ttyUSB0")
        client = await self.client(gateway, "lan")
        await running.meanwhile(lambda: device.write(b"\x00\xff?"), client.heard.containing(b"\n"))
        self.assertTrue(client.heard.data.startswith(b"00ff3f"))
        await gateway.said.containing(b"received packet:[0x00ff3f")

    async def test_esp32_log(self) -> None:
        """Browsers and terminals get each line of the log."""
        gateway, device = self.with_device("esp32-log", "/dev/ttyUSB0")
        browser, terminal = await self.browser(gateway), await self.client(gateway, "terminal")
        line = b"I (312) wifi: pax=17 / wifi=12 / ble=5\r\n"
        await running.meanwhile(lambda: device.write(line), terminal.heard.containing(line))
        await browser.heard.containing(b"pax=17")
        self.assertEqual(json.loads(browser.messages[0])["text"], line.strip().decode())

    async def test_nul_tcp(self) -> None:
        """A NUL ends a message in both directions, and the browser sees none."""
        port, came = await running.listen(self)
        gateway = self.run_example("nul-tcp", ("192.168.1.50:4001", f"127.0.0.1:{port}"))
        machine = await came
        browser = await self.browser(gateway)
        await running.meanwhile(lambda: machine.write(b"ready\0"), browser.heard.containing(b"ready"))
        browser.sendMessage(b"start", False)
        await machine.heard.containing(b"start\0")
        self.assertEqual(set(browser.messages), {b"ready"})

    async def test_gps(self) -> None:
        """Clients in clear, over TLS and in a browser all get every line."""
        ca = conf.put_files(self.folder)
        gateway, device = self.with_device("gps", "/dev/serial/by-id/usb-u-blox_AG_u-blox_7_GPS_GNSS_Receiver-if00")
        plain, secure = await self.client(gateway, "local"), await self.client(gateway, "secure", self.trusting(ca))
        browser = await self.browser(gateway)
        line = b"$GPGLL,5057.970,N,00146.110,E,142451,A*27\r\n"
        await running.meanwhile(lambda: device.write(line), secure.heard.containing(line))
        await plain.heard.containing(line)
        await browser.heard.containing(b"$GPGLL,5057.970,N,00146.110,E,142451,A*27")

    async def test_edge(self) -> None:
        """What a site sends, known by its certificate, is served to readers at the centre under the site's name."""
        conf.put_files(self.folder)
        central = self.run_example("central")
        port = await running.port_of(central, "feed")
        reader, browser = await self.client(central, "lan"), await self.browser(central)
        device = running.Device(self)
        self.run_example(
            "edge",
            ("/dev/ttyUSB0", device.path),
            ("central.example:7443", f"127.0.0.1:{port}"),
            ("ca          = ca.pem", "ca          = ca.pem\nserver_name = central.example"),
        )
        await running.meanwhile(lambda: device.write(b"12.4;35.1\r\n"), reader.heard.containing(b"12.4;35.1\n"))
        await browser.heard.containing(b"12.4;35.1")
        self.assertEqual(json.loads(browser.messages[0])["topic"], "feed/edge-1")

    async def test_central(self) -> None:
        """The centre disconnects a site that has no certificate, and logs it."""
        ca = conf.put_files(self.folder)
        central = self.run_example("central")
        root = trustRootFromCertificates([Certificate.loadPEM(ca.cert_pem.bytes())])
        stranger = await self.client(central, "feed", optionsForClientTLS("central.example", trustRoot=root))
        await stranger.lost
        await central.said.matching(r"\[feed\] .*certificate")

    async def test_demo(self) -> None:
        """The demo shows its log, in time, over TCP, TLS and WebSocket, and its page at the same address."""
        ca = conf.put_files(self.folder)
        gateway = self.run_example("demo")
        browser = await self.browser(gateway)
        plain, secure = await self.client(gateway, "lines"), await self.client(gateway, "secure", self.trusting(ca))
        for client in (plain, secure):
            await client.heard.containing(b"$GPRMC,")
            self.assertIn(client.heard.data[:200], b"".join(demo_log.capture()))
        await browser.heard.matching(r'"seq":\d+')
        page = await self.client(gateway, "web")
        page.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await page.heard.containing(b"</html>")
