"""The page in a real browser: Debian's Chromium, driven through its own protocol (CDP) without a further library."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread
from websockets.sync.client import connect

from gateway.packet import Batch, Frames

from ...visiting import path_of
from ..test_websocket import ServedTestCase, reactor

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)
PATIENCE = 60.0
STATE = "document.getElementById('state').dataset.state"
ROWS = "document.getElementById('rows').childElementCount"
LAST = "document.querySelector('#rows li:last-child .text').textContent"


def shown(name: str) -> str:
    """The number that the page shows under this id."""
    return f"Number(document.getElementById('{name}').textContent.replace(/[^0-9]/g, ''))"


def click(name: str) -> str:
    return f"document.getElementById('{name}').click()"


def is_open(state: str) -> bool:
    return state == "open"


class Chromium:
    """A browser with one page. It blocks, so it is for a thread."""

    def __init__(self, profile: Path) -> None:
        command = ["chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        # Its crash reporter writes into the home directory whatever the profile is.
        environment = {**os.environ, "HOME": str(profile)}
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment)
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(rb"DevTools listening on (ws://\S+)", line):
                break
        else:
            raise AssertionError("chromium did not start")
        self._control = connect(found[1].decode(), max_size=None)
        self._number = 0
        page = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._page = self.command("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self.complaints: list[str] = []
        for domain in ("Runtime", "Log"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **parameters: Any) -> Any:
        """Do one thing; what the browser complains about meanwhile is kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if hasattr(self, "_page"):
            message["sessionId"] = self._page
        self._control.send(json.dumps(message))
        while True:
            answer = json.loads(self._control.recv(timeout=PATIENCE))
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(answer["params"]))
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def look(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, expression: str, accept: Callable[[Any], Any] = bool) -> Any:
        """The value of an expression as soon as there is one and it is accepted; a page that is not there yet has none."""
        deadline = time.monotonic() + PATIENCE
        while (value := self.look(f"(() => {{ try {{ return {expression}; }} catch {{ return null; }} }})()")) is None or not accept(value):
            if time.monotonic() > deadline:
                page = self.look("document.documentElement.innerText")
                raise AssertionError(f"{expression} stays {value!r}; the page says {page!r}; complaints: {self.complaints}")
            self.command("Runtime.evaluate", expression="new Promise(done => setTimeout(done, 50))", awaitPromise=True)
        return value

    def close(self) -> None:
        """End the browser and all its processes."""
        self._control.send(json.dumps({"id": 0, "method": "Browser.close"}))
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._control.close()
            assert self._process.stderr is not None
            self._process.stderr.close()


class PageTests(ServedTestCase):
    """What a person with a browser meets."""

    timeout = 240

    async def open(self, url: str) -> Chromium:
        profile = Path(self.mktemp()).absolute()
        browser = await deferToThread(Chromium, profile)

        def end() -> None:
            browser.close()
            shutil.rmtree(profile, ignore_errors=True)

        self.addCleanup(deferToThread, end)
        await deferToThread(browser.command, "Page.navigate", url=url)
        return browser  # type: ignore[no-any-return]

    def play(self, link: Any, *texts: bytes, every: float = 0.05) -> None:
        """Deliver these packets again and again, with numbers that leave out every second one."""
        number = [-1]

        def deliver() -> None:
            number[0] += 2
            link.deliver(Batch("gps", "run", number[0], 0, "gps#1", Frames(b"", len(texts), texts)))

        playing = LoopingCall(deliver)
        playing.start(every)
        self.addCleanup(playing.stop)

    async def test_page(self) -> None:
        """The page shows packets as text, whatever is in them, counts them, can be paused and cleared, and sends a line."""
        link = self.serve()
        browser = await self.open(f"http://{self.url(link)}")
        self.play(link, b"<img src=x onerror=alert(1)>\x07")

        def visit() -> None:
            browser.until(STATE, is_open)
            browser.until(shown("count"), lambda count: count > 3)
            browser.until(shown("rate"), lambda rate: rate > 0)
            self.assertEqual(browser.look("document.getElementById('gaps').textContent"), "unknown")
            row = browser.until(LAST)
            self.assertEqual(row, "<img src=x onerror=alert(1)>\u2407")
            self.assertEqual(browser.look("document.images.length"), 0)
            browser.look(click("pause"))
            self.assertEqual(browser.look("document.getElementById('pause').textContent"), "Resume")
            rows = browser.look(ROWS)
            count = browser.look(shown("count"))
            browser.until(shown("count"), lambda now: now > count + 3)
            self.assertEqual(browser.look(ROWS), rows)
            browser.look(click("pause"))
            browser.until(ROWS, lambda now: now > rows)
            browser.look("document.getElementById('line').value = 'G1 X10 µ'; document.getElementById('send').click()")
            self.assertEqual(browser.complaints, [])

        await deferToThread(visit)
        while not self.heard:
            await deferLater(reactor, 0.01)
        self.assertEqual(self.heard, ["G1 X10 µ".encode()])

    async def test_json(self) -> None:
        """With json the page tells how many packets are missing, and what it sends is a packet."""
        link = self.serve(codec="json")
        browser = await self.open(f"http://{self.url(link)}")
        self.play(link, b"x")

        def visit() -> None:
            browser.until(shown("gaps"), lambda gaps: gaps > 2)
            browser.until("document.querySelector('#rows .gap').textContent", lambda text: text == "1 missing")
            self.assertEqual(browser.until(LAST), "x")
            self.assertRegex(browser.until("document.querySelector('#rows li:last-child .source').textContent"), r"^gps \d+$")
            browser.look("document.getElementById('line').value = 'hello'; document.getElementById('send').click()")

        await deferToThread(visit)
        while not self.heard:
            await deferLater(reactor, 0.01)
        self.assertEqual(self.heard, [b"hello"])

    async def test_rate(self) -> None:
        """The rate of a device that speaks in bursts, once a second, is what comes in a second, and does not fall to 0 between them."""
        link = self.serve()
        browser = await self.open(f"http://{self.url(link)}")
        self.play(link, b"1", b"2", b"3", b"4", b"5", every=1.0)

        def visit() -> list[str]:
            browser.until(STATE, is_open)
            browser.until(shown("count"), lambda count: count > 20)
            rates = "new Promise(done => { const seen = []; const look = setInterval(() => {"
            rates += " seen.push(document.getElementById('rate').textContent);"
            rates += " if (seen.length > 8) { clearInterval(look); done(seen); } }, 250); })"
            answer = browser.command("Runtime.evaluate", expression=rates, awaitPromise=True, returnByValue=True)
            return list(answer["result"]["value"])

        for rate in await deferToThread(visit):
            self.assertTrue(3 <= float(rate) <= 7, rate)

    async def test_what_was_sent(self) -> None:
        """What the page sends is a row of its own kind, with control characters as pictures, and is not counted as a packet."""
        link = self.serve()
        browser = await self.open(f"http://{self.url(link)}")

        def visit() -> str:
            browser.until(STATE, is_open)
            browser.look("document.getElementById('line').value = '<b>\t1'; document.getElementById('send').click()")
            row = str(browser.until("document.querySelector('#rows li:last-child .sent').textContent"))
            self.assertEqual(browser.look(shown("count")), 0)
            return row

        self.assertEqual(await deferToThread(visit), "sent: <b>\u24091")

    async def test_phone(self) -> None:
        """On a phone a short packet is one line, and a long one wraps within the width of the screen."""
        link = self.serve(codec="json")
        browser = await self.open(f"http://{self.url(link)}")

        def narrow() -> None:
            browser.command("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
            browser.until(STATE, is_open)

        await deferToThread(narrow)
        self.play(link, b"12.5 kg", b"x" * 200)

        def heights() -> list[float]:
            browser.until(ROWS, lambda rows: rows >= 2)
            tall = "[...document.querySelectorAll('#rows li')].filter(row => row.querySelector('.text')).slice(0, 2)"
            self.assertLessEqual(browser.look("document.getElementById('rows').scrollWidth"), 390)
            return [float(height) for height in browser.look(f"{tall}.map(row => row.getBoundingClientRect().height)")]

        short, long = await deferToThread(heights)
        self.assertLess(short, 25)
        self.assertLess(long, 7 * short)

    async def test_refusal(self) -> None:
        """What became of a refused line is shown as a notice, and not as a packet."""
        link = self.serve(codec="json")
        browser = await self.open(f"http://{self.url(link)}")
        await self.joined(link)
        [session] = link.sessions
        event = {"event": "refused", "link": "gps", "packets": 1, "reason": "<b>the device</b> is not there"}
        words = b"gps: 1 packet refused"
        self.runtime.bus.publish(Batch("gps/$events", "run", 0, 0, "", Frames(words, 1, (words,), fields=[event]), session.id))
        notice = await deferToThread(browser.until, "document.querySelector('#rows .notice').textContent")
        self.assertEqual(notice, "refused: <b>the device</b> is not there")
        self.assertFalse(await deferToThread(browser.look, "document.getElementById('form').hidden"))

    async def test_nobody_hears(self) -> None:
        """Where nobody hears what is sent there is nothing to send with."""
        link = self.serve(name="deaf")
        browser = await self.open(f"http://{self.url(link)}")

        def visit() -> tuple[bool, str]:
            browser.until(STATE, is_open)
            form = "document.getElementById('form')"
            return browser.look(f"{form}.hidden"), browser.look(f"getComputedStyle({form}).display")

        self.assertEqual(await deferToThread(visit), (True, "none"))

    async def test_binary(self) -> None:
        """Binary messages are shown in hex."""
        link = self.serve(codec="raw")
        browser = await self.open(f"http://{self.url(link)}")
        self.play(link, b"\x00\x7f\xff")
        row = await deferToThread(browser.until, LAST)
        self.assertEqual(row, "00 7f ff")

    async def test_rows_are_bounded(self) -> None:
        """The page keeps the last 500 rows, however many packets there were."""
        link = self.serve()
        browser = await self.open(f"http://{self.url(link)}")
        self.play(link, *[b"%d" % number for number in range(400)])

        def visit() -> int:
            browser.until(shown("count"), lambda count: count > 3000)
            return int(browser.look(ROWS))

        self.assertLessEqual(await deferToThread(visit), 500)

    async def test_comes_back(self) -> None:
        """When the connection is lost the page says so, and connects again by itself."""
        link = self.serve()
        browser = await self.open(f"http://{self.url(link)}")
        await self.joined(link)
        [session] = link.sessions
        session.close("the cable is changed")
        text = await deferToThread(browser.until, "document.getElementById('state').textContent", lambda text: "cable" in text)
        self.assertRegex(text, r"^the cable is changed; trying again in \d+ s$")
        await deferToThread(browser.until, STATE, is_open)

    async def test_stranger(self) -> None:
        """A page of another origin is refused, and the log says what to set."""
        link = self.serve()
        other = self.serve(name="other", path="/other")
        port = path_of(link).listener.address.port
        browser = await self.open(f"http://localhost:{port}{other.options.path}")
        outcome = (
            f"new Promise(done => {{ const s = new WebSocket('ws://127.0.0.1:{port}/');"
            " s.onopen = () => done('open'); s.onclose = () => done('closed'); })"
        )

        def visit() -> str:
            browser.until(STATE, is_open)
            # The page's own policy would stop it already: what is tried here is the gateway.
            browser.command("Page.setBypassCSP", enabled=True)
            browser.command("Page.reload")
            browser.until(STATE, is_open)
            answer = browser.command("Runtime.evaluate", expression=outcome, awaitPromise=True, returnByValue=True)
            return str(answer["result"]["value"])

        self.assertEqual(await deferToThread(visit), "closed")
        self.assertEqual(link.counters["refused_requests"], 1)
