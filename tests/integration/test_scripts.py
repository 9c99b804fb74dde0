"""The shell scripts behind `make test` and CI, with other commands in place of those that they call."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import TestCase

from . import running


class ScriptCase(TestCase):
    def setUp(self) -> None:
        self.bin = Path(self.mktemp()).absolute()
        self.bin.mkdir()

    def put(self, name: str, script: str) -> None:
        """A command of this name, before all others or, for `setup_peers`, in place of all others."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    async def say(self, script: str, **environment: str) -> tuple[int, str]:
        """Exit status and output of a script of the checkout."""
        child = running.start(self, [str(running.ROOT / script)], cwd=self.bin, env=environment)
        status = await child.end()
        return status, child.said.data.decode()


class SetupPeersTests(ScriptCase):
    def setUp(self) -> None:
        super().setUp()
        for name in ("gpsd", "gpspipe", "socat", "ser2net", "openssl", "curl", "chromium"):
            self.put(name, "exit 0")

    async def test_all_there(self) -> None:
        """Where all peers are installed, nothing is printed and nothing is done."""
        self.put("faketime", "exit 0")
        self.put("id", "echo 0")
        self.assertEqual(await self.say("scripts/setup_peers", PATH=str(self.bin)), (0, ""))

    async def test_not_permitted(self) -> None:
        """Where it may not install, it prints what is left out and how to change that."""
        self.put("id", "echo 1000")
        status, said = await self.say("scripts/setup_peers", PATH=str(self.bin))
        self.assertEqual(status, 1)
        self.assertIn("LEFT OUT", said)
        self.assertIn("sudo apt install faketime", said)

    async def test_required(self) -> None:
        """With PEERS=required a missing peer is an error."""
        self.put("id", "echo 1000")
        status, said = await self.say("scripts/setup_peers", PATH=str(self.bin), PEERS="required")
        self.assertEqual(status, 1)
        self.assertIn("cannot run", said)

    async def test_installs(self) -> None:
        """Root gets what is missing, and only that, from Debian's packages."""
        self.put("id", "echo 0")
        self.put("apt-get", f'echo "$@" >> {self.bin}/asked; : > {self.bin}/faketime; /bin/chmod +x {self.bin}/faketime')
        status, _ = await self.say("scripts/setup_peers", PATH=str(self.bin))
        self.assertEqual(status, 0)
        update, install = (self.bin / "asked").read_text().splitlines()
        self.assertEqual((update.split()[0], install.split()[0]), ("update", "install"))
        self.assertEqual([word for word in install.split()[1:] if not word.startswith("-")], ["faketime"])


class CiRunTests(ScriptCase):
    async def run_with_make(self, script: str) -> tuple[int, str]:
        self.put("make", script)
        status, said = await self.say(".ci/run", PATH=f"{self.bin}:{os.environ['PATH']}", TMPDIR=str(self.bin))
        self.assertEqual(sorted(path.name for path in self.bin.iterdir()), ["make"], "something is left behind")
        return status, said.splitlines()[-1]

    async def test_passes(self) -> None:
        """The last line is the count of the tests."""
        self.assertEqual(await self.run_with_make("echo 7 passed, 0 failed"), (0, "7 passed, 0 failed"))

    async def test_fails(self) -> None:
        """Failed tests are counted in the last line, and the exit status is not 0."""
        self.assertEqual(await self.run_with_make("echo 5 passed, 2 failed; echo make: Error; exit 2"), (2, "5 passed, 2 failed"))

    async def test_check_fails(self) -> None:
        """A failed check is one failure, however well the tests did."""
        self.assertEqual(await self.run_with_make("echo 7 passed, 0 failed; exit 2"), (2, "7 passed, 1 failed"))

    async def test_breaks_off(self) -> None:
        """A run that ends before its count is a failure."""
        self.assertEqual(await self.run_with_make("echo no rule; exit 2"), (2, "0 passed, 1 failed"))
        self.assertEqual(await self.run_with_make("exit 0"), (1, "0 passed, 1 failed"))

    async def test_asks(self) -> None:
        """It asks for the checks and all tests with peers, and gives no standard input."""
        asked = '[ "$*" = "--keep-going check test PEERS=required" ] && [ -z "$(cat)" ]'
        self.assertEqual(await self.run_with_make(f"{asked} && echo 1 passed, 0 failed"), (0, "1 passed, 0 failed"))
