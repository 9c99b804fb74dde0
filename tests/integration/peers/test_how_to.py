"""The commands in the how-tos work as they are written."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import TestCase

from ... import conf
from .. import running


def blocks(page: str, kind: str) -> list[str]:
    """The code blocks of one kind on a page of docs/how-to."""
    text = (running.ROOT / "docs" / "how-to" / page).read_text()
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


class HowToTests(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    async def type_in(self, script: str) -> running.Child:
        child = running.start(self, ["/bin/sh", "-eu", "-c", script], cwd=self.folder)
        self.assertEqual(await child.end(), 0, child.said.data.decode(errors="replace"))
        return child

    async def test_remote_site(self) -> None:
        """With certificates made as in remote-site.md the two examples connect over TLS."""
        await self.type_in("\n".join(blocks("remote-site.md", "sh")) + "chmod 600 *.key")
        central = running.gateway(self, conf.put("central", self.folder))
        port = await running.port_of(central, "feed")
        reader = await running.connect(self, await running.port_of(central, "lan"))
        device = running.Device(self)
        changes = (
            ("/dev/ttyUSB0", device.path),
            ("central.example:7443", f"127.0.0.1:{port}"),
            ("[tls central]", "[tls central]\nserver_name = central.example"),
        )
        running.gateway(self, conf.put("edge", self.folder, *changes))
        await running.meanwhile(lambda: device.write(b"12.4;35.1\r\n"), reader.heard.containing(b"12.4;35.1\n"))

    async def test_tls(self) -> None:
        """`openssl s_client` trusts a certificate made as in tls.md when it is given it as CA."""
        await self.type_in(blocks("tls.md", "sh")[0])
        device = running.Device(self)
        name = "/dev/serial/by-id/usb-u-blox_AG_u-blox_7_GPS_GNSS_Receiver-if00"
        gateway = running.gateway(self, conf.put("gps", self.folder, (name, device.path)))
        port = await running.port_of(gateway, "secure")
        trusting = ["-verify_return_error", "-CAfile", "site.pem", "-verify_ip", "192.168.1.10"]
        client = running.start(
            self, ["/usr/bin/env", "openssl", "s_client", "-quiet", *trusting, "-connect", f"127.0.0.1:{port}"], cwd=self.folder
        )
        line = b"$GPGLL,5057.970,N,00146.110,E,142451,A*27\r\n"
        await running.meanwhile(lambda: device.write(line), client.said.containing(line))

    async def test_next_steps(self) -> None:
        """The commands that `make run` prints have the ports and the certificate of the demo."""
        said = (await self.type_in(f"{running.ROOT}/scripts/whats_next")).said.data.decode()
        demo = (conf.CONF / "demo.ini").read_text()
        self.assertEqual(set(re.findall(r"127\.0\.0\.1[: ](\d+)", said)), set(re.findall(r"127\.0\.0\.1:(\d+)", demo)))
        self.assertIn("conf/" + re.findall(r"certificate = (\S+)", demo)[0], said)
