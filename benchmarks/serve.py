"""``python -m benchmarks.serve KIND DEV PORT``: run the gateway with an INI file for one measurement."""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from scripts.demo_certificate import main as make_certificate

DEVICE = "[dev]\ndevice = {dev}\nbaudrate = 115200\nframing = lines\n"
OUTBOX = "outbox.bytes = 64MiB\noutbox.packets = 10000000\nmax_sessions = 6000\n"
KINDS = {
    "tcp": "[net]\nlisten = 127.0.0.1:{port}\nattach = dev\nframing = lines\n",
    "inherited": "[net]\nlisten = 127.0.0.1:{port}\nattach = dev\n",
    "tls": "[net]\nlisten = 127.0.0.1:{port}\nattach = dev\nframing = lines\ntls = bench\n"
    "[tls bench]\ncertificate = certificate.pem\nprivate_key = private_key.pem\n",
    "ws": "[net]\ntransport = websocket\nlisten = 127.0.0.1:{port}\nattach = dev\ncodec = raw\n",
    "json": "[net]\ntransport = websocket\nlisten = 127.0.0.1:{port}\nattach = dev\ncodec = json\n",
    "slow": "[net]\nlisten = 127.0.0.1:{port}\nattach = dev\nframing = lines\n",
}


def main(kind: str, dev: str, port: str) -> None:
    """Write the file and replace this process by the gateway, so that the process that is measured is the gateway itself."""
    place = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    text = KINDS[kind].format(port=port)
    if "[tls" in text:
        make_certificate(place, datetime.now(UTC))
    if kind != "slow":
        head, _, tail = text.partition("attach = dev\n")
        text = head + "attach = dev\n" + OUTBOX + tail
    (place / "gw.ini").write_text("[gateway]\nmemory = 2GiB\n" + DEVICE.format(dev=dev) + text)
    twistd = str(Path(sys.executable).with_name("twistd"))
    os.execv(twistd, [twistd, "--nodaemon", "--pidfile=", "gateway", "--config", str(place / "gw.ini")])


if __name__ == "__main__":
    main(*sys.argv[1:])
