"""The configuration of a simulated run."""

from __future__ import annotations

from pathlib import Path

from .forms import certificate
from .setting import Setting

FAR = "far.example"


def ini(setting: Setting, folder: Path) -> str:
    """What this setting is, as the program reads it."""
    names = [f"dev{number}" for number in range(setting.devices)]
    heard = ", ".join(names)
    absent = f"when_absent = {setting.when_absent}\n"
    rest = f"subscribe = {', '.join(names[1:])}\n" if names[1:] else ""
    both = f"attach = dev0\n{rest}"
    all_of_it = f"attach = dev0\nsubscribe = {', '.join([*names[1:], 'dev0/$sent'])}\n"
    limits = f"outbox.when_full = {setting.when_full}\noutbox.bytes = {setting.outbox}\noutbox.packets = {setting.outbox_packets}\n"
    ends = f"stall_timeout = {setting.stall:g}s\nidle_timeout = {setting.idle:g}s\nmax_sessions = {setting.sessions}\n"
    tls = f"certificate = {certificate()}/site.pem\nprivate_key = {certificate()}/site.key\n"
    links = {
        "lan": f"listen = 127.0.0.1:7000\nframing = lines\n{both}",
        "raw": f"listen = 127.0.0.1:7001\nsubscribe = {heard}\n",
        "web": f"transport = websocket\nlisten = 127.0.0.1:8080\n{both}",
        "json": f"transport = websocket\ncodec = json\nlisten = 127.0.0.1:8081\n{all_of_it}",
        "secure": f"listen = 127.0.0.1:7443\ntls = site\nframing = lines\n{both}",
        "local": f"transport = unix\nlisten = {folder}/local.sock\nframing = lines\n{both}",
    }
    rows = ["[gateway]", f"memory = {max(setting.memory, 1 << 20)}"]
    for number, name in enumerate(names):
        device = "usb:0403:6001:SIM" if not number else f"/dev/ttyS{number}"
        used = "while-used" if setting.while_used else "always"
        rows += [
            f"[{name}]",
            f"device = {device}",
            "baudrate = 115200",
            "framing = lines",
            f"open = {used}",
            absent,
            f"trace = {setting.trace}",
        ]
        rows += [f"stall_timeout = {setting.stall:g}s", f"outbox.bytes = {setting.device_outbox}"]
        if setting.trace_rate:
            rows += [f"trace_rate = {setting.trace_rate}/s"]
    used_links = [name for name in links if name in setting.readers or name in setting.witnesses]
    for name in used_links:
        rows += [f"[{name}]", links[name] + limits + ends]
    if setting.far:
        rows += ["[far]", f"connect = {FAR}:9000", "framing = lines", f"{both}{absent}{limits}stall_timeout = {setting.stall:g}s"]
    if "secure" in used_links:
        rows += ["[tls site]", tls]
    return "\n".join(rows) + "\n"
