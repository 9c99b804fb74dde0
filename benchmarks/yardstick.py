"""Build and run fanbench, the program that measures. Its source is beside the checkout, or where FANBENCH says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
SOURCE = Path(os.environ.get("FANBENCH", HERE.parent / "shared" / "fanbench"))
BUILT = HERE / ".bench" / "fanbench"


def build() -> Path:
    """Build fanbench if necessary, and return its folder. Raises FileNotFoundError, which says what to set, when its source is missing."""
    if not SOURCE.exists():
        raise FileNotFoundError(f"the source of fanbench is not in {SOURCE}: set FANBENCH to its folder")
    if not (BUILT / "fanbench").exists():
        shutil.copytree(SOURCE, BUILT, dirs_exist_ok=True, copy_function=shutil.copy)
        for path in [BUILT, *BUILT.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
        subprocess.run(["make", "-s", "-C", str(BUILT)], check=True)
    return BUILT


GATEWAYS = {
    "ser2net": ["{fanbench}/peers/ser2net.sh", "{{dev}}", "{{port}}", "tcp", "default"],
    "ser2net 64k": ["{fanbench}/peers/ser2net.sh", "{{dev}}", "{{port}}", "tcp", "tuned"],
    "ser2net best": ["{fanbench}/peers/ser2net.sh", "{{dev}}", "{{port}}", "tcp", "best"],
    "C": ["{fanbench}/floor", "gateway", "{{dev}}", "{{port}}", "drain"],
    "C ws": ["{fanbench}/floor", "gateway", "{{dev}}", "{{port}}", "wsdrain"],
    "sendMessage": ["{python}", "-m", "benchmarks.send_message", "{{dev}}", "{{port}}"],
    "gateway": ["{python}", "-m", "benchmarks.serve", "tcp", "{{dev}}", "{{port}}"],
    "gateway tls": ["{python}", "-m", "benchmarks.serve", "tls", "{{dev}}", "{{port}}"],
    "gateway ws": ["{python}", "-m", "benchmarks.serve", "ws", "{{dev}}", "{{port}}"],
    "gateway slow": ["{python}", "-m", "benchmarks.serve", "slow", "{{dev}}", "{{port}}"],
}


def run(gateway: str, mode: str, *options: str) -> dict[str, Any]:
    """Run fanbench once and return its JSON object. Raises RuntimeError when it gives none, as when the gateway did not start."""
    fanbench = build()
    argv = [part.format(fanbench=fanbench, python=sys.executable) for part in GATEWAYS[gateway]]
    log = HERE / ".bench" / "gateway.log"
    # The listen backlog of ser2net is 5, so its clients connect one after the other.
    slowly = ["--inflight", "1", "--gap-us", "2000"] if gateway.startswith("ser2net") else []
    if gateway == "C ws":  # it sends the line end of each packet along
        options = tuple(option for option in options if option != "--ws-newline")
    command = [str(fanbench / "fanbench"), mode, "--name", gateway, "--log", str(log), *slowly, *options, "--", *argv]
    # A gateway is killed in the end: what it wrote goes with the folder.
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, PYTHONPATH=str(HERE), TMPDIR=folder)
        done = subprocess.run(command, capture_output=True, text=True, cwd=HERE / ".bench", env=environment, timeout=300)
    if not done.stdout.strip():
        raise RuntimeError(f"{gateway} {mode}: {done.stderr.strip()} {log.read_text()[-500:] if log.exists() else ''}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
