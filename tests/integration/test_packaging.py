from __future__ import annotations

import os
import shutil
import signal
import sys
import sysconfig
import zipfile
from pathlib import Path

from twisted.trial.unittest import TestCase

from . import running

PLUGIN = "twisted/plugins/gateway_plugin.py"
INI = "[far]\nlisten = 127.0.0.1:0\n[near]\nlisten = 127.0.0.1:0\nattach = far\n"


class WheelTests(TestCase):
    """The distribution as a user installs it, with nothing of the checkout within reach."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    async def run_python(self, *arguments: str, python: str = sys.executable) -> None:
        child = running.start(self, [python, *arguments], cwd=self.folder, env=self.environment())
        status = await child.end()
        self.assertEqual(status, 0, child.said.data.decode(errors="replace"))

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"PYTHONUNBUFFERED": "1"}

    async def build(self) -> Path:
        """A wheel of this checkout, built from a copy so that nothing is left in it."""
        source = self.folder / "source"
        for name in ("gateway", "twisted", "tests", "scripts"):
            shutil.copytree(running.ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "dropin.cache"))
        for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
            shutil.copy(running.ROOT / name, source / name)
        offline = ("--no-deps", "--no-index", "--no-build-isolation")
        await self.run_python("-m", "pip", "wheel", "--quiet", *offline, "-w", "wheel", str(source))
        return next((self.folder / "wheel").glob("*.whl"))

    async def install(self, wheel: Path) -> str:
        """The Python of a fresh environment with the wheel in it; its dependencies are those of this environment."""
        await self.run_python("-m", "venv", "--without-pip", "installed")
        python = str(self.folder / "installed" / "bin" / "python")
        pip = ("-m", "pip", f"--python={python}", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
        await self.run_python(*pip)
        packages = next((self.folder / "installed" / "lib").glob("python*/site-packages"))
        (packages / "dependencies.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
        return python

    async def test_wheel(self) -> None:
        """A wheel has the package with its page, the plugin, and nothing else; installed, `twistd gateway` runs in any directory."""
        wheel = await self.build()
        names = zipfile.ZipFile(wheel).namelist()
        self.assertLessEqual({"gateway/service.py", "gateway/http/page.html", "gateway/http/page.js", PLUGIN}, set(names))
        self.assertEqual([name for name in names if not name.startswith("gateway/") and ".dist-info/" not in name], [PLUGIN])

        python = await self.install(wheel)
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "gw.ini").write_text(INI)
        twistd = [python, "-c", "from twisted.scripts.twistd import run; run()"]
        gateway = running.start(self, [*twistd, "-n", "gateway", "--config", "gw.ini"], cwd=elsewhere, env=self.environment())
        near, far = [await running.connect(self, await running.port_of(gateway, link)) for link in ("near", "far")]
        await running.meanwhile(lambda: near.write(b"x"), far.heard.containing(b"x"))
        self.assertEqual(await gateway.stop(), -signal.SIGTERM)

    async def test_checkout(self) -> None:
        """In a checkout `twistd gateway` runs as well, from any directory."""
        ini = self.folder / "gw.ini"
        ini.write_text(INI)
        gateway = running.gateway(self, ini)
        await running.port_of(gateway, "near")
        self.assertEqual(await gateway.stop(), -signal.SIGTERM)
