"""The page that a link shows to a browser: plain HTML, CSS and JavaScript from this package, in one answer.

The Content-Security-Policy names the hash of the one script and the one style, and lets the page connect to its own host only. So even
a packet that came to be part of the HTML could neither run nor send anything.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files

from .head import Request, response


@cache
def _parts() -> tuple[str, str, str]:
    """The HTML with style and script in it, the hash of the style and that of the script."""
    html, style, script = ((files(__package__) / name).read_text("utf-8") for name in ("page.html", "page.css", "page.js"))
    return html.replace("/*style*/", style).replace("/*script*/", script), _hash(style), _hash(script)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page_response(request: Request, link: str, codec: str, heard: bool) -> bytes:
    """The whole answer to a GET or HEAD of a link's path.

    ``link`` is its name, ``codec`` the one that encodes its packets. ``heard``: whether what the page sends goes anywhere; if not, it has
    no field to send from.
    """
    html, style, script = _parts()
    host = request.headers.get("host", "")
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; img-src data:; connect-src 'self' ws://{host} wss://{host}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    body = html.replace("{link}", escape(link)).replace("{codec}", escape(codec)).replace("{heard}", "yes" if heard else "no").encode()
    return response(200, "text/html; charset=utf-8", body, {"Content-Security-Policy": policy}, send_body=request.method == "GET")
