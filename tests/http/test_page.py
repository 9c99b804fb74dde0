"""The page and its policy."""

from __future__ import annotations

import base64
import hashlib
import re

from twisted.trial.unittest import SynchronousTestCase

from gateway.http.head import Request
from gateway.http.page import page_response


def page(method: str = "GET", link: str = "gps", heard: bool = True) -> tuple[str, str]:
    answer = page_response(Request(method, "/", "1.1", {"host": "gw.local:8080"}), link, "json", heard).decode()
    head, _, body = answer.partition("\r\n\r\n")
    return head, body


class PageTests(SynchronousTestCase):
    def test_policy_matches(self) -> None:
        """The policy names the hash of exactly the script and the style that the page has, and lets it talk to its own host only."""
        head, body = page()
        [policy] = re.findall(r"^Content-Security-Policy: (.*)$", head.replace("\r", ""), re.M)
        for tag in ("script", "style"):
            [content] = re.findall(f"<{tag}>(.*?)</{tag}>", body, re.S)
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            self.assertIn(f"{tag}-src 'sha256-{digest}'", policy)
        self.assertIn("connect-src 'self' ws://gw.local:8080 wss://gw.local:8080;", policy)
        self.assertTrue(policy.startswith("default-src 'none'; "))
        self.assertNotIn("unsafe", policy)

    def test_nothing_from_elsewhere(self) -> None:
        """The page loads nothing else, and builds no HTML out of packets."""
        _, body = page()
        self.assertEqual(re.findall(r"(?:src|href)=\"(?!data:)", body), [])
        for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            self.assertNotIn(dangerous, body)

    def test_name(self) -> None:
        """The link's name and codec are on it, as text."""
        _, body = page(link="<b>&'")
        self.assertIn("<title>&lt;b&gt;&amp;&#x27;</title>", body)
        self.assertIn('data-codec="json"', body)

    def test_heard(self) -> None:
        """The page knows whether what it sends goes anywhere."""
        self.assertIn('data-heard="yes"', page()[1])
        self.assertIn('data-heard="no"', page(heard=False)[1])

    def test_head(self) -> None:
        """HEAD gives the same head and no body."""
        self.assertEqual(page("HEAD"), (page()[0], ""))
